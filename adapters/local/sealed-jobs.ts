import { Failure } from '../../core/failure.ts';
import type { Job, JobRecord, Outcome } from '../../core/inference/job.ts';
import { decodeEnded, decodeJob, encodeEnded, encodeJob } from '../../core/inference/job-codec.ts';
import type { LocalDataKeys, TenantKey } from './data-keys.ts';
import type { JobRow } from './job-rows.ts';

/**
 * Jobs and outcomes as sealed bytes. What was sealed for one tenant, job or state opens for no other.
 * Opening throws `record-damaged` or `data-erased`.
 */
export class SealedJobs {
  readonly #keys: LocalDataKeys;

  constructor(keys: LocalDataKeys) {
    this.#keys = keys;
  }

  keyOf(tenant: string): Promise<TenantKey> {
    return this.#keys.keyOf(tenant);
  }

  sealJob(key: TenantKey, job: Job): Uint8Array {
    return this.#keys.sealWith(key, job.tenant, `job/${job.id}`, encodeJob(asDurable(job)));
  }

  openJob(tenant: string, id: string, sealed: Uint8Array | null): Job {
    if (sealed === null) throw new Failure('record-damaged', { detail: 'the payload is gone', job: id });
    return decodeJob(this.#keys.openNow(tenant, `job/${id}`, sealed));
  }

  sealEnded(key: TenantKey, job: Job, outcome: Outcome): Uint8Array {
    return this.#keys.sealWith(key, job.tenant, `outcome/${job.id}`, encodeEnded(asDurable(job), outcome));
  }

  openRecord(row: JobRow): JobRecord {
    const { tenant, id, state, attempt, expiresAtMs, sealed } = row;
    if (state === 'ended') {
      if (sealed === null) throw new Failure('record-damaged', { detail: 'the payload is gone', job: id });
      const { job, outcome } = decodeEnded(this.#keys.openNow(tenant, `outcome/${id}`, sealed));
      return { job, state: { kind: 'ended', outcome }, expiresAtMs };
    }
    const job = this.openJob(tenant, id, sealed);
    return { job, state: state === 'running' ? { kind: state, attempt } : { kind: state }, expiresAtMs };
  }
}

/** What has a row is durable, whatever it was before. */
function asDurable(job: Job): Job {
  return { ...job, durable: true };
}
