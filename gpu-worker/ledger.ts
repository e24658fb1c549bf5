import type { Meter } from '../core/cost/meter.ts';
import type { Failure } from '../core/failure.ts';
import { isOurFailure, toDeadLetter } from '../core/inference/dead-letter.ts';
import type { Job, Outcome } from '../core/inference/job.ts';
import type { Work } from '../core/inference/work.ts';
import type { Delivery } from '../core/ports/job-queue.ts';
import type { Platform } from '../core/ports/platform.ts';
import type { JobLabels } from '../core/quality/job-end.ts';
import type { InputProfiler } from '../core/quality/profile-inputs.ts';
import { blamesVersion } from '../core/quality/record-answer.ts';
import type { Recording } from '../core/quality/recorder.ts';
import { CANARY_TENANT } from '../core/tenancy/canary.ts';
import { SECOND_MS } from '../core/units.ts';
import { recordFailed } from './batch-spans.ts';
import type { CaptureWriter } from './capture-writer.ts';
import type { PredictionWriter } from './prediction-writer.ts';
import type { Shadows } from './shadows.ts';

/** How long a delivery stays hidden: a worker that dies gives its work to others after this. */
export const VISIBILITY_MS = 30 * SECOND_MS;
/** Extended when a third is gone, so that two late extensions in a row do no harm. */
const EXTEND_AFTER_MS = VISIBILITY_MS / 3;

export type Ending = {
  readonly work: Pick<Work, 'job' | 'delivery'>;
  readonly outcome: Outcome;
  /** What the run said of its rows, of versions that classify. */
  readonly labels?: JobLabels | undefined;
  /** How the inputs of the version that ran it are profiled. */
  readonly profileInputs?: InputProfiler | undefined;
  /** Of a shadow copy that was answered: whether it says what stable said. */
  readonly agrees?: boolean | undefined;
};

type LedgerPorts = Pick<Platform, 'queue' | 'jobs' | 'limits' | 'deadLetters' | 'clock' | 'log' | 'spans'> & Recording;

/** What this worker holds of the queue, and the way each piece of it ends. */
export class Ledger {
  readonly #ports: LedgerPorts;
  readonly #captures: Pick<CaptureWriter, 'offer'>;
  readonly #shadows: Pick<Shadows, 'offer' | 'drop'>;
  readonly #meter: Pick<Meter, 'used'>;
  readonly #predictions: Pick<PredictionWriter, 'offer'> | undefined;
  /** Until when each held delivery is hidden. */
  readonly #held = new Map<Delivery, number>();

  constructor(
    ports: LedgerPorts,
    captures: Pick<CaptureWriter, 'offer'>,
    shadows: Pick<Shadows, 'offer' | 'drop'>,
    meter: Pick<Meter, 'used'>,
    predictions?: Pick<PredictionWriter, 'offer'>,
  ) {
    this.#ports = ports;
    this.#captures = captures;
    this.#shadows = shadows;
    this.#meter = meter;
    this.#predictions = predictions;
  }

  get held(): number {
    return this.#held.size;
  }

  isHeld(delivery: Delivery): boolean {
    return this.#held.has(delivery);
  }

  hold(deliveries: readonly Delivery[]): void {
    const untilMs = this.#ports.clock.nowMs() + VISIBILITY_MS;
    for (const delivery of deliveries) this.#held.set(delivery, untilMs);
  }

  /**
   * Writes outcomes, settles quotas, then acknowledges. What could not be written stays in the queue and comes again
   * when its visibility ends: an outcome is never lost, a job may run twice.
   */
  async end(endings: readonly Ending[]): Promise<void> {
    const writing = endings.map((ending) => this.#write(ending));
    const written = writing.every((one) => one === true) ? writing : await Promise.all(writing);
    await this.#release(
      endings.map(({ work }) => work.delivery),
      written.every((ok) => ok) ? undefined : (_, at) => written[at] === true,
    );
  }

  /** Ends work whose outcome somebody else wrote: cancelled, or answered by another delivery. */
  async drop(works: readonly Pick<Work, 'job' | 'delivery'>[]): Promise<void> {
    const nowMs = this.#ports.clock.nowMs();
    // Delivered before: an earlier worker may have computed it, so its reservation is charged in full.
    const paid = works.filter(({ job }) => job.shadow === undefined);
    const settled = paid.map(({ job, delivery }) =>
      this.#ports.limits.settle(job.tenant, job.id, delivery.receiveCount > 1 ? job.reservedComputeMs : 0, nowMs),
    );
    const results = await Promise.allSettled(settled);
    for (const result of results) if (result.status === 'rejected') this.#warn(result.reason);
    await this.#release(works.map((work) => work.delivery));
  }

  /** Goes on with a delivery as another job: that is its outcome from now on. */
  replace(delivery: Delivery, job: Job): Delivery {
    const replaced = { ...delivery, job };
    const hiddenUntilMs = this.#held.get(delivery);
    this.#held.delete(delivery);
    if (hiddenUntilMs !== undefined) this.#held.set(replaced, hiddenUntilMs);
    return replaced;
  }

  /** Shadow copies that are not run. */
  async dropShadows(copies: readonly Delivery[]): Promise<void> {
    if (copies.length === 0) return;
    this.#shadows.drop(copies.length);
    await this.#release(copies);
  }

  /** Ends all of them as failed in the same way; of a failure of ours accepted ones are kept as dead letters. */
  fail(works: readonly Pick<Work, 'job' | 'delivery'>[], failure: Failure, computeMs = 0): Promise<void> {
    if (isOurFailure(failure) && works.some(({ job }) => job.durable)) return this.giveUp(works, failure, computeMs);
    return this.#fail(works, failure, computeMs);
  }

  /**
   * Keeps accepted jobs as dead letters, then ends all as failed: in this order, so that one whose worker dies between the two comes again and is kept once. What
   * cannot be kept comes again when its visibility ends.
   */
  async giveUp(works: readonly Pick<Work, 'job' | 'delivery'>[], failure: Failure, computeMs = 0): Promise<void> {
    const kept = await Promise.all(works.map((work) => this.#keepDead(work, failure)));
    this.abandon(works.filter((_, at) => !kept[at]));
    const ending = works.filter((_, at) => kept[at]);
    await this.#fail(ending, failure, computeMs);
  }

  async #keepDead({ job, delivery }: Pick<Work, 'job' | 'delivery'>, failure: Failure): Promise<boolean> {
    const { tenant, id, pool, lane } = job;
    const attempts = delivery.receiveCount;
    const letter = toDeadLetter({ tenant, id, pool, lane, job, failure, attempts }, this.#ports.clock.nowMs());
    if (letter === undefined) return true;
    try {
      await this.#ports.deadLetters.add(letter, job);
      return true;
    } catch (error) {
      return this.#warn(error, id);
    }
  }

  #fail(works: readonly Pick<Work, 'job' | 'delivery'>[], failure: Failure, computeMs: number): Promise<void> {
    const { code, facts } = failure;
    const { clock, spans } = this.#ports;
    const outcome: Outcome = { kind: 'failed', code, facts, computeMs, endedAtMs: clock.nowMs() };
    if (spans !== undefined) {
      const jobs = works.map(({ job }) => job);
      recordFailed(spans, jobs, code, outcome.endedAtMs);
    }
    return this.end(works.map((work) => ({ work, outcome })));
  }

  /** Hands deliveries back to the queue at once. */
  async giveBack(deliveries: readonly Delivery[]): Promise<void> {
    if (deliveries.length === 0) return;
    for (const delivery of deliveries) this.#held.delete(delivery);
    await this.#ports.queue.giveBack(deliveries);
  }

  /** Hands deliveries back to the queue for after `restMs`. */
  async rest(deliveries: readonly Delivery[], restMs: number): Promise<void> {
    for (const delivery of deliveries) this.#held.delete(delivery);
    await this.#ports.queue.extend(deliveries, restMs);
  }

  /** Hands back all that is still held. */
  giveBackAll(): Promise<void> {
    return this.giveBack([...this.#held.keys()]);
  }

  /** Lets go of deliveries: they come again when their visibility ends, and not at once as with `giveBack`. */
  abandon(works: readonly Pick<Work, 'delivery'>[]): void {
    for (const work of works) this.#held.delete(work.delivery);
  }

  /** Called about once a second. */
  async extend(): Promise<void> {
    const untilMs = this.#ports.clock.nowMs() + VISIBILITY_MS;
    const due: Delivery[] = [];
    for (const [delivery, hiddenUntilMs] of this.#held) {
      if (untilMs - hiddenUntilMs < EXTEND_AFTER_MS) continue;
      due.push(delivery);
      this.#held.set(delivery, untilMs);
    }
    if (due.length > 0) await this.#ports.queue.extend(due, VISIBILITY_MS);
  }

  /** Settled in the same turn as it ends: a caller that sends its next request at once finds its place free. */
  #write(ending: Ending): boolean | Promise<boolean> {
    const { work, outcome } = ending;
    const { tenant, id, shadow } = work.job;
    if (shadow !== undefined) return this.#keepShadow(ending);
    try {
      const finished = this.#ports.jobs.finish(work.job, outcome);
      if (!(finished instanceof Promise)) this.#keep(ending, finished);
      // Who writes the outcome hears of a failure.
      else
        finished.then(
          (isFirst) => this.#keep(ending, isFirst),
          () => {},
        );
      const settled = this.#ports.limits.settle(tenant, id, outcome.computeMs, outcome.endedAtMs);
      if (!(finished instanceof Promise) && settled === undefined) return true;
      return Promise.all([finished, settled]).then(
        () => true,
        (error: unknown) => this.#warn(error, id),
      );
    } catch (error) {
      return this.#warn(error, id);
    }
  }

  /** Only of what is the job's outcome: not of one that was cancelled or erased meanwhile, nor a second time. */
  #keep({ work: { job }, outcome, labels, profileInputs }: Ending, isFirst: boolean): void {
    if (!isFirst) return;
    this.#ports.recorder.jobEnded(job, { outcome, labels, profileInputs });
    this.#count(job.tenant === CANARY_TENANT ? '' : job.tenant, job, outcome);
    if (outcome.kind !== 'succeeded') return;
    const { captureUntilMs, shadowOn } = job;
    if (labels !== undefined) this.#predictions?.offer(job, outcome, labels);
    if (captureUntilMs !== undefined) this.#captures.offer(job, outcome, captureUntilMs);
    if (shadowOn !== undefined) this.#shadows.offer(job, outcome, labels);
  }

  /** An answer that nobody waits for is told to nobody, and what was late for other work says nothing of the candidate. */
  #keepShadow({ work: { job }, ...end }: Ending): true {
    const { outcome } = end;
    this.#count('', job, outcome);
    const isBlameless =
      outcome.kind === 'failed' && (outcome.code === 'prediction-expired' || !blamesVersion(outcome.code));
    if (isBlameless) this.#shadows.drop(1);
    else this.#ports.recorder.shadowEnded(job, end);
    return true;
  }

  /** For the version that computed: another one than was assigned where that crashed. '' is the platform itself. */
  #count(tenant: string, { model, version, rows }: Job, outcome: Outcome): void {
    const isDone = outcome.kind === 'succeeded';
    this.#meter.used({
      tenant,
      model,
      version: isDone ? outcome.version : version,
      computeMs: outcome.computeMs,
      rows: isDone ? rows : 0,
    });
  }

  async #release(deliveries: readonly Delivery[], keep?: (delivery: Delivery, at: number) => boolean): Promise<void> {
    for (const delivery of deliveries) this.#held.delete(delivery);
    const done = keep === undefined ? deliveries : deliveries.filter(keep);
    if (done.length === 0) return;
    try {
      await this.#ports.queue.acknowledge(done);
    } catch (error) {
      this.#warn(error);
    }
  }

  #warn(error: unknown, job?: string): false {
    this.#ports.log.error('outcome not written', error, { job });
    return false;
  }
}
