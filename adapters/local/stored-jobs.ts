import { Failure } from '../../core/failure.ts';
import type { Job, JobRecord, Outcome } from '../../core/inference/job.ts';
import type { Clock } from '../../core/ports/clock.ts';
import type { EndedJob } from '../../core/ports/jobs.ts';
import type { Commits } from './group-commit.ts';
import type { JobRow, JobRows } from './job-rows.ts';
import type { Notices } from './notices.ts';
import type { SealedJobs } from './sealed-jobs.ts';

/** Rows of one purge transaction: about 10 ms, so that nobody waits long behind it. */
const PURGE_ROWS = 500;

/** What a row says of a job, unopened. */
export type StoredJob = JobRow;

/** Durable jobs: each change is one transaction, and of all that try to end a job one does. */
export class StoredJobs {
  readonly #commits: Commits;
  readonly #rows: JobRows;
  readonly #notices: Notices;
  readonly #sealed: SealedJobs;
  readonly #clock: Clock;

  constructor(parts: { commits: Commits; rows: JobRows; notices: Notices; sealed: SealedJobs; clock: Clock }) {
    this.#commits = parts.commits;
    this.#rows = parts.rows;
    this.#notices = parts.notices;
    this.#sealed = parts.sealed;
    this.#clock = parts.clock;
  }

  /**
   * Adds a job. `takeOver` is called as its row is written, before any other change of it can be, and says how many
   * attempts it has had and how it ended, if it did.
   */
  async create(
    job: Job,
    expiresAtMs: number,
    takeOver: () => { attempt: number; outcome: Outcome | undefined },
  ): Promise<'created' | 'exists'> {
    const { tenant, id } = job;
    const key = await this.#sealed.keyOf(tenant);
    return this.#commits.write(() => {
      if (!this.#rows.insert(job, this.#clock.nowMs(), expiresAtMs)) return 'exists';
      const { attempt, outcome } = takeOver();
      if (attempt > 0) this.#rows.setAttempt(tenant, id, attempt);
      if (job.notify) this.#notices.add(job);
      if (outcome === undefined) {
        this.#rows.putPayload(tenant, id, this.#sealed.sealJob(key, job));
      } else {
        this.#end(tenant, id, outcome);
        this.#rows.putPayload(tenant, id, this.#sealed.sealEnded(key, job, outcome));
      }
      return 'created';
    });
  }

  async markQueued(tenant: string, id: string): Promise<void> {
    await this.#commits.write(() => this.#rows.markQueued(tenant, id));
  }

  /** The number of the attempt that starts. */
  begin(tenant: string, id: string): Promise<number | 'ended' | 'no-row'> {
    return this.#commits.write(
      () => this.#rows.begin(tenant, id) ?? (this.#rows.state(tenant, id) === undefined ? 'no-row' : 'ended'),
    );
  }

  async finish(job: Job, outcome: Outcome): Promise<'first' | 'late' | 'no-row'> {
    const { tenant, id } = job;
    const key = await this.#sealed.keyOf(tenant);
    return this.#commits.write(() => {
      if (!this.#end(tenant, id, outcome)) return this.#rows.state(tenant, id) === undefined ? 'no-row' : 'late';
      this.#rows.putPayload(tenant, id, this.#sealed.sealEnded(key, job, outcome));
      return 'first';
    });
  }

  /** Ends a job; if its inputs cannot be opened, nothing of it can be read afterwards. */
  async abort(stored: StoredJob, outcome: Outcome): Promise<'first' | 'late' | 'no-row'> {
    const job = this.#openOrUndefined(stored);
    if (job !== undefined) return this.finish(job, outcome);
    return this.#commits.write(() => {
      if (!this.#end(stored.tenant, stored.id, outcome)) return 'late';
      this.#rows.dropPayload(stored.tenant, stored.id);
      return 'first';
    });
  }

  /** undefined also from `expiresAtMs` on. */
  async find(tenant: string, id: string, nowMs: number): Promise<StoredJob | undefined> {
    const row = await this.#commits.read(() => this.#rows.select(tenant, id));
    return row !== undefined && row.expiresAtMs > nowMs ? row : undefined;
  }

  /** Throws `record-damaged`, `data-erased`. */
  open(stored: StoredJob): JobRecord {
    return this.#sealed.openRecord(stored);
  }

  listUnsent(beforeMs: number, limit: number): Promise<readonly StoredJob[]> {
    return this.#commits.read(() => this.#rows.selectUnsent(beforeMs, limit));
  }

  async takeEnded(nowMs: number, leaseUntilMs: number, limit: number): Promise<readonly EndedJob[]> {
    const ended = await this.#commits.read(() => this.#notices.selectEnded(nowMs, limit));
    return this.#notices.lease(ended, leaseUntilMs);
  }

  async requestNotice(job: Pick<Job, 'tenant' | 'id' | 'requestedModel' | 'version'>): Promise<void> {
    await this.#commits.write(() => {
      const row = this.#rows.select(job.tenant, job.id);
      if (row === undefined) return;
      this.#notices.add(job);
      if (row.state !== 'ended') return;
      const { state } = this.#sealed.openRecord(row);
      if (state.kind === 'ended') this.#notices.end(job.tenant, job.id, state.outcome);
    });
  }

  async markNotified(tenant: string, id: string): Promise<void> {
    await this.#commits.write(() => this.#notices.remove(tenant, id));
  }

  /** Deletes expired jobs and calls `onPurged` with each. */
  async purge(nowMs: number, onPurged: (job: Pick<Job, 'tenant' | 'id'>) => void): Promise<number> {
    let purged = 0;
    for (;;) {
      const gone = await this.#commits.write(() => {
        const purgedNow = this.#rows.purge(nowMs, PURGE_ROWS);
        for (const { tenant, id } of purgedNow) this.#notices.remove(tenant, id);
        return purgedNow;
      });
      gone.forEach(onPurged);
      purged += gone.length;
      if (gone.length < PURGE_ROWS) return purged;
    }
  }

  /** Returns the ids of those that no worker had started. */
  async erase(tenant: string): Promise<string[]> {
    const erased = await this.#commits.write(() => {
      this.#notices.erase(tenant);
      return this.#rows.erase(tenant);
    });
    return erased.filter(({ state }) => state === 'submitting' || state === 'queued').map(({ id }) => id);
  }

  /** The end of a job and what tells of it are one write. False if there is no such job or it has ended. */
  #end(tenant: string, id: string, outcome: Outcome): boolean {
    if (!this.#rows.end(tenant, id)) return false;
    this.#notices.end(tenant, id, outcome);
    return true;
  }

  #openOrUndefined(stored: StoredJob): Job | undefined {
    try {
      return this.#sealed.openJob(stored.tenant, stored.id, stored.sealed);
    } catch (error) {
      if (error instanceof Failure) return undefined;
      throw error;
    }
  }
}
