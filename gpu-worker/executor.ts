import type { RunAnswer } from '../adapters/onnx/model-runner.ts';
import { asFailure, Failure } from '../core/failure.ts';
import type { Job } from '../core/inference/job.ts';
import { mergeInputs } from '../core/inference/merge-batch.ts';
import { afterMishap, type Mishap } from '../core/inference/rerun.ts';
import { agrees } from '../core/inference/shadow.ts';
import { shareCost } from '../core/inference/share-cost.ts';
import { hasRowForEach, splitOutputs } from '../core/inference/split-batch.ts';
import type { Tensor } from '../core/inference/tensor.ts';
import { isGivenUp, runDeadlineMs, type Work } from '../core/inference/work.ts';
import type { Begun } from '../core/ports/jobs.ts';
import type { Platform } from '../core/ports/platform.ts';
import type { Recording } from '../core/quality/recorder.ts';
import { recordBatch } from './batch-spans.ts';
import { judge } from './blame.ts';
import { type Batch, Dispatcher, type DispatchParts } from './dispatcher.ts';
import type { Ending } from './ledger.ts';
import { SPAWN_MS } from './pool.ts';
import type { Slot } from './slot.ts';
import { workFor } from './work-for.ts';

/** Of a shadow copy, of which nothing is written. */
const STARTED: Begun = { kind: 'started', attempt: 1 };

type ExecutorPorts = Pick<Platform, 'jobs' | 'registry' | 'quarantine' | 'dataKeys' | 'clock' | 'log' | 'spans'> &
  Recording;
type Done = Extract<RunAnswer, { kind: 'done' }>;
type Ran = {
  readonly batch: Batch;
  readonly answer: RunAnswer & { readonly warm: boolean };
  readonly startedMs: number;
  readonly runnerStartedMs: number;
};

/** Runs batches and answers their jobs; what a batch could not do its parts try again. */
export class Executor {
  readonly dispatcher: Dispatcher;
  readonly #ports: ExecutorPorts;
  readonly #parts: DispatchParts;
  #running = 0;
  #runningJobs = 0;

  constructor(ports: ExecutorPorts, parts: DispatchParts, onTaken: () => void) {
    this.#ports = ports;
    this.#parts = parts;
    this.dispatcher = new Dispatcher(ports, parts, (slot, batch) => this.#execute(slot, batch), onTaken);
  }

  /** True while a batch runs, waits to run again, or its outcomes are being written. */
  get isBusy(): boolean {
    return this.#running > 0 || this.dispatcher.hasReruns;
  }

  /** Jobs in the batches that run. */
  get runningJobs(): number {
    return this.#runningJobs;
  }

  async #execute(slot: Slot, batch: Batch): Promise<void> {
    this.#running += 1;
    this.#runningJobs += batch.works.length;
    try {
      const ran = await this.#run(slot, batch);
      if (ran === undefined) this.dispatcher.dispatch();
      else if (ran.answer.kind === 'done') await this.#done(ran, ran.answer);
      else if (this.#parts.pool.isEnded) return;
      else if (wasKilledBefore(ran)) this.#rerun([ran.batch]);
      else await this.#mishap(ran.batch, ran.answer.kind, ran.answer.computeMs);
    } catch (error) {
      this.#ports.log.error('batch not run', error, { version: batch.version.key });
      await this.#parts.ledger.fail(batch.works, asFailure(error));
      this.dispatcher.dispatch();
    } finally {
      this.#running -= 1;
      this.#runningJobs -= batch.works.length;
    }
  }

  /** Runs what of a batch is still wanted and frees the slot, whatever happens. undefined: nothing was. */
  async #run(slot: Slot, batch: Batch): Promise<Ran | undefined> {
    const { version } = batch;
    const ready = await this.#prepare(batch).catch((error: unknown) => {
      this.#parts.pool.giveBack(slot);
      this.#settle(batch.works, []);
      throw error;
    });
    if (ready.works.length === 0) {
      this.#parts.pool.giveBack(slot);
      return undefined;
    }
    const startedMs = this.#ports.clock.nowMs();
    const runnerStartedMs = slot.startedMs;
    const deadlineMs = runDeadlineMs(ready.jobs, version.record.manifest.timeoutMs, startedMs);
    const answer = await this.#parts.pool.run(slot, version, ready.inputs, deadlineMs);
    const ran = { batch: { ...batch, works: ready.works, begun: true }, answer, startedMs, runnerStartedMs };
    this.#trace(ran);
    return ran;
  }

  async #prepare(batch: Batch): Promise<{ works: readonly Work[]; jobs: readonly Job[]; inputs: readonly Tensor[] }> {
    const staying = this.#staying(batch);
    const current = staying instanceof Promise ? await staying : staying;
    const works = batch.begun || current.length === 0 ? current : await this.#begin(current);
    const jobs = works.map((work) => work.job);
    return { works, jobs, inputs: works.length === 0 ? [] : mergeInputs(batch.version.plan, jobs) };
  }

  /** Those whose version is not revoked; the others wait anew for the version that serves. */
  #staying({ works }: Batch): readonly Work[] | Promise<readonly Work[]> {
    const nowMs = this.#ports.clock.nowMs();
    const revoked = works.map((work) => this.#parts.revocations.isRevoked(work.job, nowMs));
    if (revoked.every((is) => is === false)) return works;
    return Promise.all(revoked).then((are) => {
      for (const [at, work] of works.entries()) if (are[at] === true) void this.#move(work);
      return works.filter((_, at) => are[at] !== true);
    });
  }

  async #move(work: Work): Promise<void> {
    const { queue, ledger, revocations, shelf } = this.#parts;
    this.#settle([work], []);
    try {
      const job = await revocations.replace(work.job);
      const version = shelf.known(`${job.model}@${job.version}`) ?? (await shelf.bring(job.model, job.version));
      queue.push(workFor(version, ledger.replace(work.delivery, job)));
    } catch (error) {
      await ledger.fail([work], asFailure(error));
    }
    this.dispatcher.dispatch();
  }

  /** Counts the start of each job; what has ended meanwhile or was started too often is not run. */
  async #begin(works: readonly Work[]): Promise<Work[]> {
    const begun = await this.#beginAll(works);
    const started: Work[] = [];
    const others = { ended: [] as Work[], givenUp: [] as Work[], unknown: [] as Work[] };
    for (const [at, answer] of begun.entries()) {
      const work = works[at]!;
      if (answer === undefined) others.unknown.push(work);
      else if (answer.kind === 'ended') others.ended.push(work);
      else if (isGivenUp(work.job, answer.attempt)) others.givenUp.push(work);
      else started.push(work);
    }
    if (started.length < works.length) this.#endUnstarted(others);
    return started;
  }

  /** undefined for those whose start could not be recorded. */
  #beginAll(works: readonly Work[]): (Begun | undefined)[] | Promise<(Begun | undefined)[]> {
    const begun = works.map(({ job }) => (job.shadow === undefined ? this.#ports.jobs.begin(job) : STARTED));
    const known = begun.filter((answer): answer is Begun => !(answer instanceof Promise));
    if (known.length === begun.length) return known;
    return Promise.allSettled(begun).then((answers) =>
      answers.map((answer) => (answer.status === 'fulfilled' ? answer.value : undefined)),
    );
  }

  #endUnstarted({ ended, givenUp, unknown }: Record<'ended' | 'givenUp' | 'unknown', Work[]>): void {
    const { ledger } = this.#parts;
    this.#settle([...ended, ...givenUp, ...unknown], []);
    if (ended.length > 0) void ledger.drop(ended);
    if (givenUp.length > 0) {
      void ledger.giveUp(
        givenUp,
        new Failure('prediction-failed', { detail: 'given up: started too often without an end' }),
      );
    }
    if (unknown.length === 0) return;
    this.#ports.log.warn('starts not recorded', { jobs: unknown.length });
    ledger.abandon(unknown);
  }

  async #done({ batch, startedMs }: Ran, answer: Done & { readonly warm: boolean }): Promise<void> {
    const { version, works } = batch;
    const rows = works.reduce((sum, work) => sum + work.rows, 0);
    if (answer.warm) version.observe(Math.max(...works.map(({ costKey }) => costKey)), rows, answer.computeMs);
    const shares = shareCost(works, answer.computeMs);
    const jobs = works.map((work) => work.job);
    if (!hasRowForEach(answer.outputs, jobs)) {
      this.#ports.log.warn('rows do not add up: this version is no longer batched', { version: version.key });
      version.plan = { ...version.plan, alone: true };
      return this.#mishap(batch, 'refused', answer.computeMs);
    }
    this.#settle(works, shares);
    const endedAtMs = this.#ports.clock.nowMs();
    for (const work of works) this.#parts.breakers.succeeded(version, work, endedAtMs);
    // The runner gets its next batch before this one's answers are made: it should never wait for that.
    this.dispatcher.dispatch();
    this.#ports.recorder.ran(version.record, rows);
    const run = version.readLabels?.(answer.outputs, rows);
    let firstRow = 0;
    const parts = splitOutputs(version.plan, answer.outputs, jobs);
    const endings = works.map((work, at): Ending => {
      const queueMs = Math.max(0, startedMs - work.job.acceptedAtMs);
      const measures = { computeMs: shares[at]!, queueMs, batchRows: rows, endedAtMs };
      const labels = run === undefined ? undefined : { run, firstRow };
      firstRow += work.rows;
      return {
        work,
        labels,
        profileInputs: version.profileInputs,
        agrees:
          work.job.shadow &&
          agrees(work.job, work.job.shadow, { outputs: parts[at]!, labels }, version.record.manifest.tolerance),
        outcome: { kind: 'succeeded', version: version.record.version, outputs: parts[at]!, ...measures },
      };
    });
    await this.#parts.ledger.end(endings);
  }

  async #mishap(batch: Batch, mishap: Mishap, computeMs: number): Promise<void> {
    const { version } = batch;
    if (mishap === 'crashed') this.#ports.recorder.crashed(version.record);
    if (mishap !== 'refused') {
      this.#ports.log.warn('runner lost', { version: version.key, how: mishap, jobs: batch.works.length, computeMs });
    }
    // Who kills a runner pays for the next one too.
    const lostMs = mishap === 'refused' ? 0 : SPAWN_MS + version.loadMs;
    const next = afterMishap(batch, mishap, computeMs + lostMs);
    if (next.kind === 'rerun') {
      const lost = mishap === 'refused' ? {} : { lostMs: this.#ports.clock.nowMs() };
      this.#rerun(next.attempts.map((attempt) => ({ ...attempt, version, begun: true, ...lost })));
      return;
    }
    const { work, wastedMs } = next;
    this.#parts.breakers.failed(version, work);
    const sentence = await judge(this.#ports, this.#parts.standIns, { work, mishap, version });
    if (sentence.kind === 'run-on') {
      const moved = workFor(sentence.version, work.delivery);
      this.dispatcher.rerun([{ version: sentence.version, works: [moved], begun: true, kills: 0, wastedMs }]);
    } else {
      this.#settle([work], [wastedMs]);
      await this.#parts.ledger.fail([work], sentence.failure, wastedMs);
    }
    this.dispatcher.dispatch();
  }

  #trace({ batch: { works, version }, answer, startedMs }: Ran): void {
    const { spans, clock } = this.#ports;
    if (spans === undefined) return;
    const rows = works.reduce((sum, work) => sum + work.rows, 0);
    const mishap = answer.kind === 'done' ? undefined : answer.kind;
    const { computeMs } = answer;
    recordBatch(spans, { works, version: version.key, startedMs, endedMs: clock.nowMs(), computeMs, rows, mishap });
  }

  #rerun(batches: readonly Batch[]): void {
    this.dispatcher.rerun(batches);
    this.dispatcher.dispatch();
  }

  #settle(works: readonly Work[], shares: readonly number[]): void {
    for (let at = 0; at < works.length; at += 1) this.#parts.queue.settle(works[at]!, shares[at] ?? 0);
  }
}

/**
 * Whoever kills all runners from outside kills them together, and the second one may take work before its end is noticed:
 * only a runner that was started since the work lost its last one says anything about it.
 */
function wasKilledBefore({ batch, answer, runnerStartedMs }: Ran): boolean {
  return answer.kind === 'crashed' && batch.lostMs !== undefined && runnerStartedMs < batch.lostMs;
}
