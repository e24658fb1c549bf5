import type { Job, Outcome } from '../core/inference/job.ts';
import { shadowOf } from '../core/inference/shadow.ts';
import type { Platform } from '../core/ports/platform.ts';
import type { JobLabels } from '../core/quality/job-end.ts';
import { SECOND_MS } from '../core/units.ts';
import type { VersionShelf } from './version-shelf.ts';

/** Copies that one worker sends in a second, less what waits in the bulk lane already: with a MiB each, what is held of them at most. */
const MOST_A_SECOND = 100;
/** Many are dropped at a time: one line tells of all within this time. */
const TELL_EVERY_MS = 10 * SECOND_MS;

/**
 * Sends copies of answered jobs to the candidate of a release that shadows them, beside the way of their answers: nobody waits for it, and what cannot be
 * sent, or is in the way of other work, is counted, told in the log, and gone.
 */
export class Shadows {
  readonly #ports: Pick<Platform, 'queue' | 'clock' | 'log'>;
  readonly #shelf: Pick<VersionShelf, 'known'>;
  #room = 0;
  #roomUntilMs = Number.NEGATIVE_INFINITY;
  #looking: Promise<void> | undefined;
  #sending = 0;
  #dropped = 0;
  #toldMs = Number.NEGATIVE_INFINITY;

  constructor(ports: Pick<Platform, 'queue' | 'clock' | 'log'>, shelf: Pick<VersionShelf, 'known'>) {
    this.#ports = ports;
    this.#shelf = shelf;
  }

  /** Takes an answered job that is shadowed. Returns at once and never throws. */
  offer(job: Job, outcome: Extract<Outcome, { kind: 'succeeded' }>, labels: JobLabels | undefined): void {
    const tokenizer = this.#shelf.known(`${job.model}@${outcome.version}`)?.record.tokenizerDigest;
    const copy = shadowOf(job, outcome, { labels, tokenizer }, this.#ports.clock.nowMs());
    if (copy === undefined) return;
    if (copy === 'too-large' || this.#sending >= MOST_A_SECOND) this.drop(1);
    else void this.#send(copy);
  }

  /** Counts copies that were not run. */
  drop(copies: number): void {
    const nowMs = this.#ports.clock.nowMs();
    this.#dropped += copies;
    if (nowMs - this.#toldMs < TELL_EVERY_MS) return;
    this.#ports.log.warn('shadow copies dropped', { copies: this.#dropped });
    this.#toldMs = nowMs;
    this.#dropped = 0;
  }

  async #send(copy: Job): Promise<void> {
    this.#sending += 1;
    try {
      if (this.#ports.clock.nowMs() >= this.#roomUntilMs) {
        this.#looking ??= this.#look(copy);
        await this.#looking;
      }
      if (this.#room <= 0) return this.drop(1);
      this.#room -= 1;
      await this.#ports.queue.send(copy);
    } catch (error) {
      this.#ports.log.error('a shadow copy was not sent', error, { version: `${copy.model}@${copy.version}` });
      this.drop(1);
    } finally {
      this.#sending -= 1;
    }
  }

  async #look({ pool, lane }: Job): Promise<void> {
    try {
      this.#room = MOST_A_SECOND - (await this.#ports.queue.depth(pool, lane));
      this.#roomUntilMs = this.#ports.clock.nowMs() + SECOND_MS;
    } finally {
      this.#looking = undefined;
    }
  }
}
