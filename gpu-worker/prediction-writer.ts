import type { Job, Outcome } from '../core/inference/job.ts';
import type { KeptPrediction } from '../core/ports/feedbacks.ts';
import type { Platform } from '../core/ports/platform.ts';
import { MOST_KEPT_ROWS } from '../core/quality/feedback/limits.ts';
import type { JobLabels } from '../core/quality/job-end.ts';
import { CANARY_TENANT } from '../core/tenancy/canary.ts';
import { DAY_MS, SECOND_MS } from '../core/units.ts';
import type { VersionShelf } from './version-shelf.ts';

/** Predictions that wait to be written, and their rows: with the longest labels 30 MB. */
const MOST_WAITING = 4096;
const MOST_WAITING_ROWS = 65_536;
/** As many as the port takes together. */
const WRITTEN_AT_ONCE = 100;
/** What is written costs a commit, or a call: what comes within this time shares them. */
const COLLECT_MS = 100;
/** A full disk fails thousands: one line tells of all within this time. */
const TELL_EVERY_MS = 10 * SECOND_MS;

type Succeeded = Extract<Outcome, { kind: 'succeeded' }>;
type WriterPorts = Pick<Platform, 'feedbacks' | 'clock' | 'log'>;

/**
 * Keeps what versions answered whose manifest asks for feedback, beside the way of their answers: nobody waits for it, and what it cannot write or hold is
 * counted, told in the log, and gone. It tells no label to anybody but the port.
 */
export class PredictionWriter {
  readonly #ports: WriterPorts;
  readonly #shelf: Pick<VersionShelf, 'known'>;
  #waiting: KeptPrediction[] = [];
  #waitingRows = 0;
  #writing: Promise<void> | undefined;
  readonly #drained = new AbortController();
  #lost = 0;
  #toldMs = Number.NEGATIVE_INFINITY;

  constructor(ports: WriterPorts, shelf: Pick<VersionShelf, 'known'>) {
    this.#ports = ports;
    this.#shelf = shelf;
  }

  /** Takes a succeeded prediction with what its run said of its rows. Returns at once and never throws. */
  offer(job: Job, outcome: Succeeded, labels: JobLabels): void {
    const { model, rows } = job;
    const feedback = this.#shelf.known(`${model}@${outcome.version}`)?.record.manifest.feedback;
    if (feedback === undefined || rows > MOST_KEPT_ROWS || job.tenant === CANARY_TENANT) return;
    if (this.#waiting.length >= MOST_WAITING || this.#waitingRows + rows > MOST_WAITING_ROWS) {
      this.#lose(1, new Error('more predictions to keep than can be written'));
      return;
    }
    const kept = keptOf(job, outcome, labels, feedback.days);
    if (kept === undefined) return;
    this.#waiting.push(kept);
    this.#waitingRows += rows;
    this.#writing ??= this.#writeAll();
  }

  /** Resolves when all that was taken is written or lost. */
  async drain(): Promise<void> {
    this.#drained.abort();
    await this.#writing;
    if (this.#lost > 0) this.#tell(undefined);
  }

  async #writeAll(): Promise<void> {
    while (this.#waiting.length > 0) {
      await this.#ports.clock.sleep(COLLECT_MS, this.#drained.signal).catch(() => {});
      const waiting = this.#waiting;
      this.#waiting = [];
      this.#waitingRows = 0;
      for (let at = 0; at < waiting.length; at += WRITTEN_AT_ONCE)
        await this.#write(waiting.slice(at, at + WRITTEN_AT_ONCE));
    }
    this.#writing = undefined;
  }

  async #write(predictions: readonly KeptPrediction[]): Promise<void> {
    try {
      await this.#ports.feedbacks.keep(predictions);
    } catch (error) {
      this.#lose(predictions.length, error);
    }
  }

  #lose(predictions: number, cause: unknown): void {
    this.#lost += predictions;
    if (this.#ports.clock.nowMs() - this.#toldMs >= TELL_EVERY_MS) this.#tell(cause);
  }

  #tell(cause: unknown): void {
    this.#ports.log.error('predictions not kept for feedback', cause, { predictions: this.#lost });
    this.#toldMs = this.#ports.clock.nowMs();
    this.#lost = 0;
  }
}

/** Read now: a run's outputs are of a whole batch, and would be held. Undefined unless every row has a label. */
function keptOf(
  { tenant, id, principal, model, version: assigned, rows, lot }: Job,
  { version, endedAtMs: atMs }: Succeeded,
  { run, firstRow }: JobLabels,
  days: number,
): KeptPrediction | undefined {
  const kept: { label: string; confidence: number | undefined }[] = [];
  for (let row = firstRow; row < firstRow + rows; row += 1) {
    const label = run.labelAt(row);
    if (label === undefined) return undefined;
    kept.push({ label, confidence: run.confidenceAt(row) });
  }
  return {
    tenant,
    id,
    principal,
    model,
    version,
    rows: kept,
    // Another version answered than was drawn: it says nothing of that one.
    lot: version === assigned ? lot : undefined,
    atMs,
    expiresAtMs: atMs + days * DAY_MS,
  };
}
