import { asFailure, Failure } from '../../core/failure.ts';
import type { Job, JobRecord, Outcome } from '../../core/inference/job.ts';
import type { Clock } from '../../core/ports/clock.ts';
import type { Jobs } from '../../core/ports/jobs.ts';
import type { Log } from '../../core/ports/log.ts';
import type { Commits } from './group-commit.ts';
import type { JobRow, JobRows } from './job-rows.ts';
import type { LiveJobs } from './live-jobs.ts';
import type { SealedJobs } from './sealed-jobs.ts';

/** Rows of one purge transaction: about 10 ms, so that nobody waits long behind it. */
const PURGE_ROWS = 500;

/**
 * Jobs of one region. A job whose caller waits on the connection lives in memory alone; `create` gives it a row, at any
 * time while it waits or runs, and from that statement on the row decides who ended it.
 */
export class LocalJobs implements Jobs {
  readonly #commits: Commits;
  readonly #rows: JobRows;
  readonly #sealed: SealedJobs;
  readonly #live: LiveJobs;
  readonly #clock: Clock;
  readonly #log: Log;

  constructor(parts: { commits: Commits; rows: JobRows; sealed: SealedJobs; live: LiveJobs; clock: Clock; log: Log }) {
    this.#commits = parts.commits;
    this.#rows = parts.rows;
    this.#sealed = parts.sealed;
    this.#live = parts.live;
    this.#clock = parts.clock;
    this.#log = parts.log;
  }

  async create(job: Job, expiresAtMs: number): Promise<'created' | 'exists'> {
    const { tenant, id } = job;
    const key = await this.#sealed.keyOf(tenant);
    // A job that was not durable until now may be in the hands of a worker that does not know of the row.
    const live = job.durable ? this.#live.find(tenant, id) : this.#live.findOrAdd(tenant, id);
    const wasStored = live?.stored === true;
    try {
      const answer = await this.#commits.write(() => {
        if (!this.#rows.insert(job, live?.attempt ?? 0, this.#clock.nowMs(), expiresAtMs)) return 'exists';
        if (live !== undefined) live.stored = true;
        const outcome = live?.outcome;
        if (outcome !== undefined) this.#rows.end(tenant, id);
        this.#rows.putPayload(
          tenant,
          id,
          outcome === undefined ? this.#sealed.sealJob(key, job) : this.#sealed.sealEnded(key, job, outcome),
        );
        return 'created';
      });
      if (answer === 'created' && live?.outcome !== undefined) this.#live.endStored(live, live.outcome);
      return answer;
    } catch (error) {
      if (live !== undefined) live.stored = wasStored;
      throw error;
    }
  }

  async markQueued(tenant: string, id: string): Promise<void> {
    await this.#commits.write(() => this.#rows.markQueued(tenant, id));
  }

  async begin(job: Job): Promise<{ readonly kind: 'started'; readonly attempt: number } | { readonly kind: 'ended' }> {
    if (this.#mayHaveRow(job)) {
      const found = await this.#commits.write(() => ({
        attempt: this.#rows.begin(job.tenant, job.id),
        state: this.#rows.state(job.tenant, job.id),
      }));
      if (found.attempt !== undefined) return { kind: 'started', attempt: found.attempt };
      if (found.state !== undefined) return { kind: 'ended' };
    }
    const live = this.#live.findOrAdd(job.tenant, job.id);
    if (live.ended) return { kind: 'ended' };
    live.attempt += 1;
    return { kind: 'started', attempt: live.attempt };
  }

  async finish(job: Job, outcome: Outcome): Promise<boolean> {
    if (this.#mayHaveRow(job)) {
      const answer = await this.#finishRow(job, outcome);
      if (answer !== 'no-row') return answer === 'first';
    }
    return this.#live.end(this.#live.findOrAdd(job.tenant, job.id), outcome);
  }

  async cancel(tenant: string, id: string, nowMs: number): Promise<'cancelled' | 'ended' | 'unknown'> {
    const outcome: Outcome = {
      kind: 'failed',
      code: 'prediction-cancelled',
      facts: {},
      computeMs: 0,
      endedAtMs: nowMs,
    };
    const row = await this.#commits.read(() => this.#rows.select(tenant, id));
    if (row !== undefined && row.expiresAtMs > nowMs) return this.#cancelRow(row, outcome);
    const live = this.#live.find(tenant, id);
    if (live === undefined || live.stored) return 'unknown';
    if (live.ended) return 'ended';
    this.#live.cancel(live, outcome);
    return 'cancelled';
  }

  hasEnded(job: Job): boolean {
    return this.#live.find(job.tenant, job.id)?.ended === true;
  }

  async read(tenant: string, id: string, nowMs: number): Promise<JobRecord | undefined> {
    const row = await this.#commits.read(() => this.#rows.select(tenant, id));
    if (row === undefined || row.expiresAtMs <= nowMs) return undefined;
    return this.#sealed.openRecord(row);
  }

  async wait(
    job: Pick<Job, 'tenant' | 'id'> & { readonly durable?: boolean },
    untilMs: number,
    signal?: AbortSignal,
  ): Promise<Outcome | undefined> {
    if (signal?.aborted) return undefined;
    const live = this.#live.findOrAdd(job.tenant, job.id);
    if (live.outcome !== undefined && !live.stored) return this.#live.take(live);
    // Waiting first, then looking: an outcome that comes in between wakes it.
    const waiter = this.#live.wait(live, untilMs, signal);
    if (live.stored || job.durable !== false) {
      const row = await this.#commits.read(() => this.#rows.select(job.tenant, job.id));
      if (row?.state === 'ended' && row.expiresAtMs > this.#clock.nowMs()) {
        waiter.expire();
        return this.#sealed.openEnded(row).outcome;
      }
    }
    return waiter.value;
  }

  async listUnsent(beforeMs: number, limit: number): Promise<readonly Job[]> {
    const rows = await this.#commits.read(() => this.#rows.selectUnsent(beforeMs, limit));
    const jobs: Job[] = [];
    for (const row of rows) {
      try {
        jobs.push(this.#sealed.openJob(row.tenant, row.id, row.sealed));
      } catch (error) {
        await this.endUndeliverable(row.tenant, row.id, asFailure(error));
      }
    }
    return jobs;
  }

  async purge(nowMs: number): Promise<number> {
    let purged = 0;
    for (;;) {
      const rows = await this.#commits.write(() => this.#rows.purge(nowMs, PURGE_ROWS));
      for (const { tenant, id } of rows) this.#forget(tenant, id);
      purged += rows.length;
      if (rows.length < PURGE_ROWS) return purged;
    }
  }

  async erase(tenant: string): Promise<void> {
    await this.#commits.write(() => this.#rows.erase(tenant));
    const endedAtMs = this.#clock.nowMs();
    for (const live of this.#live.ofTenant(tenant)) {
      this.#live.cancel(live, { kind: 'failed', code: 'data-erased', facts: {}, computeMs: 0, endedAtMs });
    }
  }

  /** Ends a job that cannot be run, for `failure`. If its stored inputs cannot be opened, nothing of it can be read afterwards. */
  async endUndeliverable(tenant: string, id: string, failure: Failure): Promise<void> {
    this.#log.error('a job could not be delivered', failure, { tenant, job: id });
    const { code, facts } = failure;
    const outcome: Outcome = { kind: 'failed', code, facts, computeMs: 0, endedAtMs: this.#clock.nowMs() };
    const row = await this.#commits.read(() => this.#rows.select(tenant, id));
    if (row === undefined) {
      this.#live.cancel(this.#live.findOrAdd(tenant, id), outcome);
    } else if (row.state !== 'ended') {
      const job = this.#openOrUndefined(row);
      if (job === undefined) await this.#endUnreadable(tenant, id);
      else await this.#finishRow(job, outcome);
      this.#live.endStored(this.#live.findOrAdd(tenant, id), outcome);
    }
  }

  #mayHaveRow(job: Job): boolean {
    return job.durable || this.#live.find(job.tenant, job.id)?.stored === true;
  }

  async #finishRow(job: Job, outcome: Outcome): Promise<'first' | 'late' | 'no-row'> {
    const { tenant, id } = job;
    const key = await this.#sealed.keyOf(tenant);
    const answer = await this.#commits.write(() => {
      if (!this.#rows.end(tenant, id)) return this.#rows.state(tenant, id) === undefined ? 'no-row' : 'late';
      this.#rows.putPayload(tenant, id, this.#sealed.sealEnded(key, job, outcome));
      return 'first';
    });
    const live = this.#live.find(tenant, id);
    if (answer === 'first' && live !== undefined) this.#live.endStored(live, outcome);
    return answer;
  }

  async #cancelRow(row: JobRow, outcome: Outcome): Promise<'cancelled' | 'ended'> {
    if (row.state === 'ended') return 'ended';
    const job = this.#sealed.openJob(row.tenant, row.id, row.sealed);
    if ((await this.#finishRow(job, outcome)) !== 'first') return 'ended';
    this.#live.endStored(this.#live.findOrAdd(row.tenant, row.id), outcome);
    return 'cancelled';
  }

  #openOrUndefined(row: JobRow): Job | undefined {
    try {
      return this.#sealed.openJob(row.tenant, row.id, row.sealed);
    } catch (error) {
      if (error instanceof Failure) return undefined;
      throw error;
    }
  }

  async #endUnreadable(tenant: string, id: string): Promise<void> {
    await this.#commits.write(() => {
      if (this.#rows.end(tenant, id)) this.#rows.dropPayload(tenant, id);
    });
  }

  #forget(tenant: string, id: string): void {
    const live = this.#live.find(tenant, id);
    if (live !== undefined && live.waiters.length === 0) this.#live.forget(live);
  }
}
