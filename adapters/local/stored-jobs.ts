import { Failure } from '../../core/failure.ts';
import type { Job, JobRecord, Outcome } from '../../core/inference/job.ts';
import type { Clock } from '../../core/ports/clock.ts';
import type { Commits } from './group-commit.ts';
import type { JobRow, JobRows } from './job-rows.ts';
import type { SealedJobs } from './sealed-jobs.ts';

/** Rows of one purge transaction: about 10 ms, so that nobody waits long behind it. */
const PURGE_ROWS = 500;

/** What a row says of a job, unopened. */
export type StoredJob = JobRow;

/** Durable jobs: each change is one transaction, and of all that try to end a job one does. */
export class StoredJobs {
  readonly #commits: Commits;
  readonly #rows: JobRows;
  readonly #sealed: SealedJobs;
  readonly #clock: Clock;

  constructor(parts: { commits: Commits; rows: JobRows; sealed: SealedJobs; clock: Clock }) {
    this.#commits = parts.commits;
    this.#rows = parts.rows;
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
      if (outcome === undefined) {
        this.#rows.putPayload(tenant, id, this.#sealed.sealJob(key, job));
      } else {
        this.#rows.end(tenant, id);
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
      if (!this.#rows.end(tenant, id)) return this.#rows.state(tenant, id) === undefined ? 'no-row' : 'late';
      this.#rows.putPayload(tenant, id, this.#sealed.sealEnded(key, job, outcome));
      return 'first';
    });
  }

  /** Ends a job; if its inputs cannot be opened, nothing of it can be read afterwards. */
  async abort(stored: StoredJob, outcome: Outcome): Promise<'first' | 'late' | 'no-row'> {
    const job = this.#openOrUndefined(stored);
    if (job !== undefined) return this.finish(job, outcome);
    return this.#commits.write(() => {
      if (!this.#rows.end(stored.tenant, stored.id)) return 'late';
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

  /** Deletes expired jobs and calls `onPurged` with each. */
  async purge(nowMs: number, onPurged: (job: Pick<Job, 'tenant' | 'id'>) => void): Promise<number> {
    let purged = 0;
    for (;;) {
      const gone = await this.#commits.write(() => this.#rows.purge(nowMs, PURGE_ROWS));
      gone.forEach(onPurged);
      purged += gone.length;
      if (gone.length < PURGE_ROWS) return purged;
    }
  }

  /** Returns the ids of those that no worker had started. */
  async erase(tenant: string): Promise<string[]> {
    const erased = await this.#commits.write(() => this.#rows.erase(tenant));
    return erased.filter(({ state }) => state === 'submitting' || state === 'queued').map(({ id }) => id);
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
