import { asFailure, Failure } from '../../core/failure.ts';
import type { Job, JobRecord, JobState, Outcome } from '../../core/inference/job.ts';
import { decodeJob, decodeOutcome, encodeJob, encodeOutcome } from '../../core/inference/job-codec.ts';
import { decodeTensors, encodeTensors } from '../../core/inference/tensor-codec.ts';
import type { Clock } from '../../core/ports/clock.ts';
import type { Begun, EndedJob, Jobs } from '../../core/ports/jobs.ts';
import type { Log } from '../../core/ports/log.ts';
import type { Blobs } from './blobs.ts';
import { inParallel } from './in-parallel.ts';
import { isPlain, type JobItem, plainOutcome } from './job-item.ts';
import type { Endable, JobItems } from './job-items.ts';
import { JobWaits, type Wait } from './job-waits.ts';
import { blobPrefix } from './keys.ts';
import type { Payloads, StoredPayload } from './payloads.ts';

/**
 * Reads of who waits: after 50 ms, then every 25 ms, later after a tenth of what it has waited, 500 ms at the most. That adds
 * 13 ms to a short answer and 5 % to a long one; a wait of 25 s takes 80 reads, and one of 100 ms three.
 */
const POLL_MS = { first: 50, least: 25, most: 500, share: 0.1 } as const;
const MOST_READS = 16;

type Parts = {
  readonly items: JobItems;
  readonly payloads: Payloads;
  readonly blobs: Blobs;
  readonly clock: Clock;
  readonly log: Log;
};

/**
 * Jobs of a region in its jobs table. A job whose caller waits has no item before a worker begins it: that and its end are
 * the two writes it costs. Handlers wait by reading; expired items are deleted by the table.
 */
export class AwsJobs implements Jobs {
  readonly #parts: Parts;
  readonly #waits = new JobWaits();

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  async create(job: Job, expiresAtMs: number): Promise<'created' | 'exists'> {
    const { items, payloads } = this.#parts;
    const { tenant } = job;
    const head = encodeJob({ ...job, durable: true, inputs: [] });
    const sealed = {
      head: await payloads.store(tenant, contextOf('job', job), head),
      inputs: await payloads.store(tenant, contextOf('inputs', job), encodeTensors(job.inputs)),
    };
    if (await items.create(job, sealed, expiresAtMs, this.#nowMs())) return 'created';
    await this.#discard(sealed.inputs);
    return 'exists';
  }

  markQueued(tenant: string, id: string): Promise<void> {
    return this.#parts.items.markQueued(tenant, id);
  }

  async begin(job: Job): Promise<Begun> {
    const attempt = await this.#parts.items.begin(job, this.#nowMs());
    if (attempt !== undefined) return { kind: 'started', attempt };
    this.#waits.end(job, this.#nowMs());
    return { kind: 'ended' };
  }

  async finish(job: Job, outcome: Outcome): Promise<boolean> {
    return (await this.#end(job, outcome, job.durable ? 'created' : 'any')) === 'first';
  }

  async cancel(tenant: string, id: string, nowMs: number): Promise<'cancelled' | 'ended' | 'unknown'> {
    const job = { tenant, id };
    // One that is only in the queue has no item: who waits for it here may end it all the same.
    const endable = this.#waits.knows(job, nowMs) ? 'any' : 'there';
    const ended = await this.#end(job, plainOutcome('prediction-cancelled', nowMs), endable, nowMs);
    return ended === 'first' ? 'cancelled' : ended === 'late' ? 'ended' : 'unknown';
  }

  hasEnded(job: Job): boolean {
    return this.#waits.hasEnded(job, this.#nowMs());
  }

  async read(tenant: string, id: string, nowMs: number): Promise<JobRecord | undefined> {
    const item = await this.#parts.items.find(tenant, id);
    if (item?.createdAtMs === undefined || item.expiresAtMs <= nowMs) return undefined;
    return this.#open({ tenant, id }, item);
  }

  async wait(
    job: Pick<Job, 'tenant' | 'id'> & { readonly durable?: boolean },
    untilMs: number,
    signal?: AbortSignal,
  ): Promise<Outcome | undefined> {
    if (signal?.aborted) return undefined;
    const wait = this.#waits.enter(job, signal);
    try {
      return await this.#poll(wait, untilMs);
    } finally {
      wait.leave();
      this.#waits.leave(wait, this.#nowMs());
    }
  }

  async listUnsent(beforeMs: number, limit: number): Promise<readonly Job[]> {
    const names = await this.#parts.items.listUnsent(beforeMs, limit);
    const jobs = await inParallel(names, MOST_READS, (name) => this.#readUnsent(name));
    return jobs.filter((job) => job !== undefined);
  }

  takeEnded(nowMs: number, leaseUntilMs: number, limit: number): Promise<readonly EndedJob[]> {
    return this.#parts.items.takeEnded(nowMs, leaseUntilMs, limit);
  }

  requestNotice(job: Pick<Job, 'tenant' | 'id'>): Promise<void> {
    return this.#parts.items.requestNotice(job);
  }

  markNotified(tenant: string, id: string): Promise<void> {
    return this.#parts.items.markNotified(tenant, id);
  }

  /** Nothing: the table deletes by `ttl`, and what has expired is not shown before. */
  async purge(): Promise<number> {
    return 0;
  }

  async erase(tenant: string): Promise<readonly string[]> {
    const nowMs = this.#nowMs();
    const items = await this.#parts.items.erase(tenant, 'data-erased', nowMs);
    await this.#parts.blobs.deleteAll(blobPrefix(tenant));
    const known = new Set(items.map(({ id }) => id));
    const unstarted = items.filter(({ started }) => !started).map(({ id }) => id);
    for (const { name } of this.#waits.ofTenant(tenant)) {
      if (!known.has(name.id)) {
        known.add(name.id);
        unstarted.push(name.id);
        // For the worker that has received it.
        await this.#end(name, plainOutcome('data-erased', nowMs), 'any');
      }
      this.#waits.end(name, nowMs, plainOutcome('data-erased', nowMs));
    }
    return unstarted;
  }

  /** Ends a job that cannot be run, for `failure`. */
  async endUndeliverable(tenant: string, id: string, failure: Failure): Promise<void> {
    this.#parts.log.error('a job could not be delivered', failure, { tenant, job: id });
    await this.#end({ tenant, id }, plainOutcome(failure.code, this.#nowMs()), 'any');
  }

  async #end(
    job: Pick<Job, 'tenant' | 'id'>,
    outcome: Outcome,
    endable: Endable,
    nowMs = this.#nowMs(),
  ): Promise<'first' | 'late' | 'unknown'> {
    const { items, payloads } = this.#parts;
    const stored = isPlain(outcome)
      ? undefined
      : await payloads.store(job.tenant, contextOf('outcome', job), encodeOutcome(outcome));
    const answer = await items.end(job, outcome, stored, endable, nowMs);
    if (answer.ended) {
      this.#waits.end(job, nowMs, outcome);
      await this.#discard(answer.inputs);
      return 'first';
    }
    await this.#discard(stored);
    if (answer.item === undefined || answer.item.expiresAtMs <= nowMs) return 'unknown';
    this.#waits.end(job, nowMs);
    return 'late';
  }

  async #poll(wait: Wait, untilMs: number): Promise<Outcome | undefined> {
    const { clock } = this.#parts;
    const startMs = this.#nowMs();
    const gone = new Promise<void>((resolve) => wait.gone.addEventListener('abort', () => resolve(), { once: true }));
    // A job that was sent just now has not ended yet.
    let delayMs = wait.durable ? 0 : POLL_MS.first;
    for (;;) {
      const leftMs = Math.max(0, untilMs - this.#nowMs());
      if (delayMs > 0) await clock.sleep(Math.min(delayMs, leftMs), wait.gone).catch(() => {});
      if (wait.gone.aborted) return wait.outcome;
      const isLast = this.#nowMs() >= untilMs;
      const outcome = await Promise.race([this.#readOutcome(wait, isLast), gone]);
      if (outcome !== undefined) return outcome;
      if (wait.gone.aborted) return wait.outcome;
      if (isLast) return undefined;
      const share = POLL_MS.share * (this.#nowMs() - startMs);
      delayMs = Math.min(Math.max(share, POLL_MS.least), POLL_MS.most);
    }
  }

  /** A read that fails now is followed by another one, unless it is the last. */
  async #readOutcome({ name }: Wait, isLast: boolean): Promise<Outcome | undefined> {
    let item: JobItem | undefined;
    try {
      item = await this.#parts.items.find(name.tenant, name.id);
    } catch (error) {
      const { code } = asFailure(error);
      if (isLast || (code !== 'overloaded' && code !== 'storage-unavailable')) throw error;
      return undefined;
    }
    return item?.state === 'ended' ? this.#openOutcome(name, item) : undefined;
  }

  async #readUnsent(name: Pick<Job, 'tenant' | 'id'>): Promise<Job | undefined> {
    try {
      const item = await this.#parts.items.find(name.tenant, name.id);
      // The index may be a moment behind.
      if (item?.state !== 'submitting' || item.expiresAtMs <= this.#nowMs()) return undefined;
      return (await this.#open(name, item)).job;
    } catch (error) {
      const failure = asFailure(error);
      if (failure.code !== 'record-damaged' && failure.code !== 'data-erased') throw failure;
      await this.endUndeliverable(name.tenant, name.id, failure);
      return undefined;
    }
  }

  async #open(name: Pick<Job, 'tenant' | 'id'>, item: JobItem): Promise<JobRecord> {
    const { payloads } = this.#parts;
    const head = decodeJob(await payloads.open(name.tenant, contextOf('job', name), present(name, item.head)));
    const state = await this.#openState(name, item);
    const { expiresAtMs } = item;
    if (state.kind === 'ended') return { job: head, state, expiresAtMs };
    const inputs = await payloads.open(name.tenant, contextOf('inputs', name), present(name, item.inputs));
    return { job: { ...head, inputs: decodeTensors(inputs) }, state, expiresAtMs };
  }

  async #openState(name: Pick<Job, 'tenant' | 'id'>, item: JobItem): Promise<JobState> {
    const { state, attempt = 0 } = item;
    if (state === 'ended') return { kind: state, outcome: await this.#openOutcome(name, item) };
    return state === 'running' ? { kind: state, attempt } : { kind: state };
  }

  async #openOutcome(name: Pick<Job, 'tenant' | 'id'>, item: JobItem): Promise<Outcome> {
    const { outcome, failure, endedAtMs = 0 } = item;
    if (outcome === undefined && failure !== undefined) return plainOutcome(failure, endedAtMs);
    const stored = present(name, outcome);
    return decodeOutcome(await this.#parts.payloads.open(name.tenant, contextOf('outcome', name), stored));
  }

  /** A blob that stays costs a little room until its lifecycle ends: nobody fails for that. */
  async #discard(stored: StoredPayload | undefined): Promise<void> {
    await this.#parts.payloads.discard(stored).catch((error: unknown) => {
      this.#parts.log.error('a payload was not deleted', error);
    });
  }

  #nowMs(): number {
    return this.#parts.clock.nowMs();
  }
}

function contextOf(what: 'job' | 'inputs' | 'outcome', { id }: Pick<Job, 'id'>): string {
  return `${what}/${id}`;
}

function present(name: Pick<Job, 'id'>, stored: StoredPayload | undefined): StoredPayload {
  if (stored === undefined) throw new Failure('record-damaged', { detail: 'the payload is gone', job: name.id });
  return stored;
}
