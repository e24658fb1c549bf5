import type { FailureCode } from '../../core/failure.ts';
import type { Job, Outcome } from '../../core/inference/job.ts';
import type { EndedJob } from '../../core/ports/jobs.ts';
import { MINUTE_MS, SECOND_MS } from '../../core/units.ts';
import { inParallel } from './in-parallel.ts';
import { type JobItem, toJobItem } from './job-item.ts';
import { INDEX_SHARDS, indexShard, jobKey, jobsPartition, NOTICE_INDEX, UNSENT_INDEX } from './keys.ts';
import type { StoredPayload } from './payloads.ts';
import type { Item, Table } from './table.ts';

/**
 * An item of a job whose caller waits outlives its deadline by this: the caller has its answer, or has made the job durable,
 * and no delivery of it is run any more.
 */
const REST_MS = 2 * MINUTE_MS;
const MOST_WRITES = 16;
const NAMES = { '#state': 'state', '#ttl': 'ttl' };
/** An item of a job that was never created is made by whoever starts or ends it. */
const KEPT = 'expiresAtMs = if_not_exists(expiresAtMs, :expires), #ttl = if_not_exists(#ttl, :ttl)';
const NOT_ENDED = '(attribute_not_exists(#state) OR #state <> :ended)';
const CREATED_AND_OPEN = 'attribute_exists(createdAtMs) AND #state <> :ended AND expiresAtMs > :now';

export type SealedJob = { readonly head: StoredPayload; readonly inputs: StoredPayload };
/** `item` is what was there when the job had ended already; undefined: nothing was. */
export type Ended =
  | { readonly ended: true; readonly inputs: StoredPayload | undefined }
  | { readonly ended: false; readonly item: JobItem | undefined };

/** Which items may be ended: created ones alone, those that are there, or any. */
export type Endable = 'created' | 'there' | 'any';

/** The items of jobs: each step of a job is one conditional write, and of all that try to end it one does. */
export class JobItems {
  readonly #table: Table;

  constructor(table: Table) {
    this.#table = table;
  }

  async find(tenant: string, id: string): Promise<JobItem | undefined> {
    const item = await this.#table.get(jobKey(tenant, id));
    return item === undefined ? undefined : toJobItem(item);
  }

  /** False if it was created before. A job that has begun already keeps its state, one that has ended its outcome. */
  async create(job: Job, sealed: SealedJob, expiresAtMs: number, nowMs: number): Promise<boolean> {
    const ttl = ttlOf(expiresAtMs);
    const known = { model: job.requestedModel, modelVersion: job.version, expiresAtMs, ttl, createdAtMs: nowMs };
    const notice = job.notify ? indexShard(job.id) : undefined;
    for (;;) {
      const fresh = { ...jobKey(job.tenant, job.id), state: 'submitting', ...known, ...sealed, notice };
      const free = { text: 'attribute_not_exists(pk)' };
      const put = await this.#table.put({ ...fresh, unsent: indexShard(job.id) }, free);
      if (put.written) return true;
      // Gone between the two: again.
      const found = put.found === undefined ? await this.find(job.tenant, job.id) : toJobItem(put.found);
      if (found === undefined) continue;
      if (found.createdAtMs !== undefined) return false;
      if (await this.#createBegun(job, found, { ...known, notice, ...sealed })) return true;
    }
  }

  async #createBegun(job: Job, found: JobItem, created: Item): Promise<boolean> {
    const { modelVersion, inputs, notice, head, ...rest } = created;
    const open = found.state !== 'ended';
    const { written } = await this.#table.change(jobKey(job.tenant, job.id), {
      text: `SET createdAtMs = :createdAtMs, expiresAtMs = :expiresAtMs, #ttl = :ttl, head = :head, #model = :model,
        modelVersion = if_not_exists(modelVersion, :modelVersion)
        ${open ? ', inputs = :inputs' : ''} ${notice === undefined ? '' : ', notice = :notice'}`,
      condition: 'attribute_not_exists(createdAtMs) AND #state = :seen',
      names: { ...NAMES, '#model': 'model' },
      values: {
        ...Object.fromEntries(Object.entries(rest).map(([name, value]) => [`:${name}`, value])),
        ':head': head,
        ':modelVersion': modelVersion,
        ':seen': found.state,
        ...(open && { ':inputs': inputs }),
        ...(notice !== undefined && { ':notice': notice }),
      },
      returned: 'NONE',
    });
    return written;
  }

  async markQueued(tenant: string, id: string): Promise<void> {
    await this.#table.change(jobKey(tenant, id), {
      text: 'SET #state = :queued REMOVE unsent',
      condition: '#state = :submitting',
      names: { '#state': 'state' },
      values: { ':queued': 'queued', ':submitting': 'submitting' },
      returned: 'NONE',
    });
  }

  /** The number of the attempt that starts; undefined if the job has ended, or was created and is gone. */
  async begin(job: Job, nowMs: number): Promise<number | undefined> {
    const begun = await this.#table.change(jobKey(job.tenant, job.id), {
      text: `SET #state = :running, ${KEPT} REMOVE unsent ADD attempt :one`,
      condition: job.durable ? CREATED_AND_OPEN : NOT_ENDED,
      names: NAMES,
      values: {
        ':running': 'running',
        ':ended': 'ended',
        ':one': 1,
        ...keptValues(job.deadlineMs + REST_MS),
        ...(job.durable && { ':now': nowMs }),
      },
      returned: 'UPDATED_NEW',
    });
    return begun.written ? Number(begun.item.attempt) : undefined;
  }

  /** `restsUntilMs`: when an item is forgotten that is made by this. */
  async end(
    job: Pick<Job, 'tenant' | 'id'>,
    outcome: Outcome,
    stored: StoredPayload | undefined,
    endable: Endable,
    nowMs: number,
  ): Promise<Ended> {
    const succeeded = outcome.kind === 'succeeded';
    const ended = await this.#table.change(jobKey(job.tenant, job.id), {
      text: `SET #state = :ended, endedAtMs = :at, noticeAtMs = :at, ${KEPT},
        ${succeeded ? 'modelVersion = :how' : 'failure = :how'} ${stored === undefined ? '' : ', outcome = :outcome'}
        REMOVE unsent, inputs`,
      condition:
        endable === 'any'
          ? NOT_ENDED
          : endable === 'created'
            ? CREATED_AND_OPEN
            : 'expiresAtMs > :now AND #state <> :ended',
      names: NAMES,
      values: {
        ':ended': 'ended',
        ':at': outcome.endedAtMs,
        ':how': succeeded ? outcome.version : outcome.code,
        ...keptValues(nowMs + REST_MS),
        ...(stored !== undefined && { ':outcome': stored }),
        ...(endable !== 'any' && { ':now': nowMs }),
      },
      returned: 'UPDATED_OLD',
    });
    if (ended.written) return { ended: true, inputs: ended.item.inputs as StoredPayload | undefined };
    return { ended: false, item: ended.item === undefined ? undefined : toJobItem(ended.item) };
  }

  /** Ids that may still be unsent, longest first. */
  async listUnsent(beforeMs: number, limit: number): Promise<readonly Pick<Job, 'tenant' | 'id'>[]> {
    // The index is asked for a number and below; a job may be sent again a moment early.
    const shards = INDEX_SHARDS.map((shard) => this.#table.queryIndex(UNSENT_INDEX, shard, beforeMs, limit));
    const items = (await Promise.all(shards)).flat();
    items.sort((a, b) => Number(a.createdAtMs) - Number(b.createdAtMs));
    return items.slice(0, limit).map(nameOf);
  }

  /** Ends to be told that nobody else takes, longest first. */
  async takeEnded(nowMs: number, leaseUntilMs: number, limit: number): Promise<readonly EndedJob[]> {
    const shards = INDEX_SHARDS.map((shard) => this.#table.queryIndex(NOTICE_INDEX, shard, nowMs, limit));
    const items = (await Promise.all(shards)).flat().filter((item) => Number(item.expiresAtMs) > nowMs);
    items.sort((a, b) => Number(a.noticeAtMs) - Number(b.noticeAtMs));
    const taken = await inParallel(items.slice(0, limit), MOST_WRITES, async (item) => {
      const { written } = await this.#table.change(
        { pk: String(item.pk), sk: String(item.sk) },
        {
          text: 'SET noticeAtMs = :lease',
          condition: 'attribute_exists(notice) AND noticeAtMs <= :now',
          values: { ':lease': leaseUntilMs, ':now': nowMs },
          returned: 'NONE',
        },
      );
      return written ? toEndedJob(item) : undefined;
    });
    return taken.filter((ended) => ended !== undefined);
  }

  async requestNotice({ tenant, id }: Pick<Job, 'tenant' | 'id'>): Promise<void> {
    await this.#table.change(jobKey(tenant, id), {
      text: 'SET notice = :notice',
      condition: 'attribute_exists(createdAtMs)',
      values: { ':notice': indexShard(id) },
      returned: 'NONE',
    });
  }

  async markNotified(tenant: string, id: string): Promise<void> {
    await this.#table.change(jobKey(tenant, id), {
      text: 'REMOVE notice',
      condition: 'attribute_exists(pk)',
      returned: 'NONE',
    });
  }

  /**
   * Deletes what has ended; in place of the rest stays, for `REST_MS`, that it ended so, for handlers and workers elsewhere
   * that still hold it. Returns all that there was, and whether a worker had started it.
   */
  async erase(tenant: string, failure: FailureCode, nowMs: number): Promise<{ id: string; started: boolean }[]> {
    const erased: { id: string; started: boolean }[] = [];
    let some: Item[] = [];
    const eraseSome = () => inParallel(some, MOST_WRITES, (item) => this.#erase(item, failure, nowMs));
    for await (const item of this.#table.query(jobsPartition(tenant))) {
      erased.push({ id: String(item.sk), started: item.state === 'ended' || item.attempt !== undefined });
      some.push(item);
      if (some.length < MOST_WRITES) continue;
      await eraseSome();
      some = [];
    }
    await eraseSome();
    return erased;
  }

  /** Whatever is in it: a damaged item goes too. */
  async #erase(item: Item, failure: FailureCode, nowMs: number): Promise<void> {
    const key = { pk: String(item.pk), sk: String(item.sk) };
    if (item.state === 'ended') return this.#table.delete(key);
    const expiresAtMs = nowMs + REST_MS;
    const ended = { state: 'ended', failure, endedAtMs: nowMs, expiresAtMs, ttl: ttlOf(expiresAtMs) };
    await this.#table.put({ ...key, ...ended });
  }
}

function ttlOf(expiresAtMs: number): number {
  return Math.ceil(expiresAtMs / SECOND_MS);
}

function keptValues(expiresAtMs: number): Item {
  return { ':expires': expiresAtMs, ':ttl': ttlOf(expiresAtMs) };
}

function nameOf(item: Item): Pick<Job, 'tenant' | 'id'> {
  return { tenant: String(item.pk).slice(jobsPartition('').length), id: String(item.sk) };
}

function toEndedJob(item: Item): EndedJob {
  return {
    ...nameOf(item),
    model: String(item.model),
    version: String(item.modelVersion),
    failure: item.failure as FailureCode | undefined,
    endedAtMs: Number(item.endedAtMs),
  };
}
