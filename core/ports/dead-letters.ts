import type { FailureCode } from '../failure.ts';
import type { Job, Lane } from '../inference/job.ts';
import type { Page } from './registry.ts';

/** An accepted prediction that nobody could handle, and that has ended for it. */
export type DeadLetter = {
  /** `dl_` and the digits of the prediction's id: a prediction is given up once. */
  readonly id: string;
  readonly tenant: string;
  readonly prediction: string;
  /** As the caller named it; undefined, and the version too, where the job cannot be read. */
  readonly model: string | undefined;
  readonly version: string | undefined;
  readonly pool: string;
  readonly lane: Lane;
  readonly reason: FailureCode;
  /** How often it was handed out or started, about. */
  readonly attempts: number;
  readonly atMs: number;
  /** False: nothing is left of it that could be run. */
  readonly redrivable: boolean;
};

export type DeadLetterQuery = { readonly tenant?: string | undefined; readonly pool?: string | undefined };

/**
 * Dead letters of one region, each with its job sealed under the tenant's data key. They are forgotten 14 days after they died. Another tenant's id is as if it did
 * not exist. Reads are strong.
 */
export interface DeadLetters {
  /** Keeps it; durable when it resolves. One that is there already stays as it is. */
  add(letter: DeadLetter, job: Job | undefined): Promise<void>;
  read(tenant: string, id: string, nowMs: number): Promise<DeadLetter | undefined>;
  /** Its job as it was admitted; undefined if there is no such letter, or nothing is left to run. `data-erased`, `record-damaged`. */
  readJob(tenant: string, id: string, nowMs: number): Promise<Job | undefined>;
  /** The newest first. A page may hold fewer than `limit` and have a next one. */
  list(query: DeadLetterQuery, limit: number, nowMs: number, cursor?: string): Promise<Page<DeadLetter>>;
  /** Forgets it with its job; false if it was not there. */
  remove(tenant: string, id: string): Promise<boolean>;
  /** By pool and lane, of all tenants; counted up to 10,000. */
  count(nowMs: number): Promise<readonly { readonly pool: string; readonly lane: Lane; readonly letters: number }[]>;
  /** Forgets what has expired. Returns how many. */
  purge(nowMs: number): Promise<number>;
  erase(tenant: string): Promise<void>;
}
