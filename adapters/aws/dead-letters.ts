import { z } from 'zod';
import { FAILURES, Failure, type FailureCode } from '../../core/failure.ts';
import { DEAD_LETTER_KEPT_MS } from '../../core/inference/dead-letter.ts';
import { type Job, LANES, type Lane } from '../../core/inference/job.ts';
import { decodeJob, encodeJob } from '../../core/inference/job-codec.ts';
import type { DeadLetter, DeadLetterQuery, DeadLetters } from '../../core/ports/dead-letters.ts';
import type { Page } from '../../core/ports/registry.ts';
import { DAY_MS, SECOND_MS } from '../../core/units.ts';
import {
  deadLetterKey,
  deadLetterListKey,
  deadLetterListPartition,
  deadLetterOrderKey,
  deadLetterOrderPartition,
  deadLettersPartition,
  LIST_SHARDS,
} from './keys.ts';
import { parseItem } from './parse-item.ts';
import type { Payloads, StoredPayload } from './payloads.ts';
import type { Item, Table, Write } from './table.ts';

const MOST_TRIES = 5;
const MOST_COUNTED = 10_000;
/** The bucket deletes large payloads after two days: from then on there is nothing to run. */
const BLOB_KEPT_MS = 2 * DAY_MS;
const SHARDS = Array.from({ length: LIST_SHARDS }, (_, shard) => deadLetterListPartition(shard));

const shownSchema = z.strictObject({
  pk: z.string(),
  sk: z.string(),
  ttl: z.int(),
  id: z.string(),
  tenant: z.string(),
  prediction: z.string(),
  model: z.string().optional(),
  version: z.string().optional(),
  pool: z.string(),
  lane: z.enum(LANES),
  reason: z.enum(Object.keys(FAILURES) as FailureCode[]),
  attempts: z.number(),
  atMs: z.number(),
  redrivable: z.boolean(),
  /** Its job is a blob. */
  isLarge: z.boolean(),
});
const letterSchema = shownSchema.extend({ job: z.union([z.instanceof(Uint8Array), z.string()]).optional() });

/**
 * Dead letters in the jobs table, each with its job sealed; what is shown of it is written twice more, for the lists of its tenant and of all. Of a large one the job is
 * there for two days.
 */
export class AwsDeadLetters implements DeadLetters {
  readonly #table: Table;
  readonly #payloads: Payloads;

  constructor(table: Table, payloads: Payloads) {
    this.#table = table;
    this.#payloads = payloads;
  }

  async add(letter: DeadLetter, job: Job | undefined): Promise<void> {
    const { tenant, id, atMs } = letter;
    const key = deadLetterKey(tenant, id);
    if ((await this.#table.get(key)) !== undefined) return;
    const stored = job && (await this.#payloads.store(tenant, contextOf(id), encodeJob({ ...job, durable: true })));
    const ttl = Math.ceil((atMs + DEAD_LETTER_KEPT_MS) / SECOND_MS);
    const shown = { ...letter, redrivable: stored !== undefined, ttl, isLarge: typeof stored === 'string' };
    const isNew = { text: 'attribute_not_exists(pk)' };
    const written = await this.#transact(
      { put: { ...key, ...shown, job: stored }, condition: isNew },
      { put: { ...deadLetterOrderKey(letter), ...shown } },
      { put: { ...deadLetterListKey(letter), ...shown } },
    );
    if (!written) await this.#payloads.discard(stored);
  }

  async read(tenant: string, id: string, nowMs: number): Promise<DeadLetter | undefined> {
    const item = await this.#find(tenant, id, nowMs);
    return item && toLetter(item, nowMs);
  }

  async readJob(tenant: string, id: string, nowMs: number): Promise<Job | undefined> {
    const item = await this.#find(tenant, id, nowMs);
    if (item?.job === undefined || !toLetter(item, nowMs).redrivable) return undefined;
    return decodeJob(await this.#payloads.open(tenant, contextOf(id), item.job as StoredPayload));
  }

  async list(
    { tenant, pool }: DeadLetterQuery,
    limit: number,
    nowMs: number,
    cursor?: string,
  ): Promise<Page<DeadLetter>> {
    const partitions = tenant === undefined ? SHARDS : [deadLetterOrderPartition(tenant)];
    const range = cursor === undefined ? {} : { after: '0', before: cursor };
    const options = { ...range, newestFirst: true, limit: limit + 2 };
    const read = await Promise.all(partitions.map((pk) => Array.fromAsync(this.#table.query(pk, options))));
    const before = read.flat().filter(({ sk }) => cursor === undefined || String(sk) < cursor);
    before.sort((a, b) => (String(a.sk) < String(b.sk) ? 1 : -1));
    const page = before.slice(0, limit);
    const letters = page.map((item) => toLetter(parseItem(shownSchema, item), nowMs));
    return {
      items: letters.filter((letter) => isKept(letter, nowMs) && (pool === undefined || letter.pool === pool)),
      next: before.length > limit ? String(page.at(-1)!.sk) : undefined,
    };
  }

  async remove(tenant: string, id: string): Promise<boolean> {
    const found = await this.#table.get(deadLetterKey(tenant, id));
    if (found === undefined) return false;
    const letter = parseItem(letterSchema, found);
    const isThere = { text: 'attribute_exists(pk)' };
    const removed = await this.#transact(
      { delete: deadLetterKey(tenant, id), condition: isThere },
      { delete: deadLetterOrderKey(letter) },
      { delete: deadLetterListKey(letter) },
    );
    if (removed) await this.#payloads.discard(letter.job);
    return removed;
  }

  async count(nowMs: number): Promise<readonly { pool: string; lane: Lane; letters: number }[]> {
    const limit = Math.ceil(MOST_COUNTED / LIST_SHARDS);
    const options = { newestFirst: true, limit };
    const read = await Promise.all(SHARDS.map((pk) => Array.fromAsync(this.#table.query(pk, options))));
    const letters = read.flat().map((item) => parseItem(shownSchema, item));
    const kept = letters.filter((letter) => isKept(letter, nowMs));
    return [...Map.groupBy(kept, ({ pool, lane }) => `${pool}/${lane}`).values()]
      .map((some) => ({ pool: some[0]!.pool, lane: some[0]!.lane, letters: some.length }))
      .sort((a, b) => `${a.pool}/${a.lane}`.localeCompare(`${b.pool}/${b.lane}`));
  }

  /** Nothing: the table deletes by `ttl`, and what has expired is not shown before. */
  async purge(): Promise<number> {
    return 0;
  }

  /** The jobs of large ones go with the tenant's other blobs. */
  async erase(tenant: string): Promise<void> {
    for await (const item of this.#table.query(deadLetterOrderPartition(tenant))) {
      const shown = parseItem(shownSchema, item);
      await this.#table.delete(deadLetterListKey(shown));
    }
    await this.#table.deleteAll(deadLettersPartition(tenant));
    await this.#table.deleteAll(deadLetterOrderPartition(tenant));
  }

  async #find(tenant: string, id: string, nowMs: number): Promise<z.infer<typeof letterSchema> | undefined> {
    const item = await this.#table.get(deadLetterKey(tenant, id));
    if (item === undefined) return undefined;
    const letter = parseItem(letterSchema, item);
    return isKept(letter, nowMs) ? letter : undefined;
  }

  /** False if a condition does not hold. */
  async #transact(...writes: readonly Write[]): Promise<boolean> {
    for (let tries = 0; tries < MOST_TRIES; tries += 1) {
      const answer = await this.#table.transact(...writes);
      if (answer !== 'conflict') return answer === 'written';
    }
    throw new Failure('overloaded', { detail: 'many writers of a dead letter at once', retryAfterMs: SECOND_MS });
  }
}

function toLetter(item: z.infer<typeof shownSchema> & Item, nowMs: number): DeadLetter {
  const { id, tenant, prediction, model, version, pool, lane, reason, attempts, atMs, isLarge } = item;
  const redrivable = item.redrivable && (!isLarge || nowMs < atMs + BLOB_KEPT_MS);
  return { id, tenant, prediction, model, version, pool, lane, reason, attempts, atMs, redrivable };
}

function isKept({ atMs }: Pick<DeadLetter, 'atMs'>, nowMs: number): boolean {
  return nowMs < atMs + DEAD_LETTER_KEPT_MS;
}

function contextOf(id: string): string {
  return `dead-letter/${id}`;
}
