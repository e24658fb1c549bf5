import type { FailureCode } from '../failure.ts';
import type { Job, JobRecord, Outcome } from '../inference/job.ts';

/** What starting a job came to. */
export type Begun = { readonly kind: 'started'; readonly attempt: number } | { readonly kind: 'ended' };

/** The end of a job, without what went in or came out. */
export type EndedJob = {
  readonly tenant: string;
  readonly id: string;
  /** As the caller named it. */
  readonly model: string;
  readonly version: string;
  /** undefined: it succeeded. */
  readonly failure: FailureCode | undefined;
  readonly endedAtMs: number;
};

/**
 * Durable jobs and the outcomes of all. `begin` and `finish` answer without a promise where nothing needs to be written.
 * A job that was never created here (its caller waits on the connection)
 * has an outcome only as long as somebody waits for it. Payloads are sealed at rest under the tenant's data key.
 * Another tenant's id is as if it did not exist.
 */
export interface Jobs {
  /** Writes the job as `submitting`, durable when it resolves. `exists`: this id is there already, nothing is changed. */
  create(job: Job, expiresAtMs: number): Promise<'created' | 'exists'>;
  /** submitting → queued; any other state stays. */
  markQueued(tenant: string, id: string): Promise<void>;
  /**
   * Before compute: counts a started attempt. `ended`: cancelled, expired or answered already, do not run it.
   * Works for jobs that were never created too.
   */
  begin(job: Job): Begun | Promise<Begun>;
  /** First write wins; wakes who waits. Durable when it resolves if the job was created. False: another outcome was first. */
  finish(job: Job, outcome: Outcome): boolean | Promise<boolean>;
  /**
   * Ends a job as failed with `prediction-cancelled` unless it has ended. `unknown` also for another tenant's id.
   * Works for jobs that were never created while they wait or run.
   */
  cancel(tenant: string, id: string, nowMs: number): Promise<'cancelled' | 'ended' | 'unknown'>;
  /** True once the job has ended or its cancellation is known here; cheap enough to ask before each batch. */
  hasEnded(job: Job): boolean;
  read(tenant: string, id: string, nowMs: number): Promise<JobRecord | undefined>;
  /**
   * The outcome as soon as there is one, or undefined at `untilMs` (or up to 100 ms later) or when the signal aborts.
   * `durable: false` says that the job was never created, which spares the store a look.
   */
  wait(
    job: Pick<Job, 'tenant' | 'id'> & { readonly durable?: boolean },
    untilMs: number,
    signal?: AbortSignal,
  ): Promise<Outcome | undefined>;
  /** Jobs that have stayed `submitting` since before `beforeMs`: what a sweeper sends again. */
  listUnsent(beforeMs: number, limit: number): Promise<readonly Job[]>;
  /**
   * Up to `limit` jobs that were created with `notify` and have ended, each leased to the caller until `leaseUntilMs`: of
   * concurrent callers one gets each, and what is not marked by then comes again.
   */
  takeEnded(nowMs: number, leaseUntilMs: number, limit: number): Promise<readonly EndedJob[]>;
  /** From now on `takeEnded` tells of its end, as if it had been created with `notify`; at once if it has ended. Nothing if it is unknown. */
  requestNotice(job: Pick<Job, 'tenant' | 'id' | 'requestedModel' | 'version'>): Promise<void>;
  /** Who wanted to know of its end has been noted down, or nobody is to: `takeEnded` leaves it out from now on. */
  markNotified(tenant: string, id: string): Promise<void>;
  /** Forgets expired records. Returns how many. */
  purge(nowMs: number): Promise<number>;
  /**
   * Forgets a tenant's jobs and ends every wait for them. Returns the ids of those that no worker had started: once the
   * queue has forgotten them too, nobody else settles their reservations.
   */
  erase(tenant: string): Promise<readonly string[]>;
}
