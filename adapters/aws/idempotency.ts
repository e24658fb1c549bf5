import { z } from 'zod';
import type { Idempotency, IdempotencyKey, IdempotencyRecord } from '../../core/ports/idempotency.ts';
import { SECOND_MS } from '../../core/units.ts';
import { idempotencyKey, idempotencyPartition } from './keys.ts';
import { parseItem } from './parse-item.ts';
import type { Item, Table } from './table.ts';

const recordSchema = z.strictObject({
  pk: z.string(),
  sk: z.string(),
  fingerprint: z.string(),
  jobId: z.string(),
  leaseUntilMs: z.number(),
  expiresAtMs: z.number(),
  ttl: z.number(),
});

/** Claims as items of their own: one conditional write decides between concurrent callers. */
export class AwsIdempotency implements Idempotency {
  readonly #table: Table;

  constructor(table: Table) {
    this.#table = table;
  }

  async read(key: IdempotencyKey, nowMs: number): Promise<IdempotencyRecord | undefined> {
    const item = await this.#table.get(idempotencyKey(key));
    if (item === undefined) return undefined;
    const record = toRecord(item);
    return record.expiresAtMs > nowMs ? record : undefined;
  }

  async claim(key: IdempotencyKey, record: IdempotencyRecord, nowMs: number): Promise<'claimed' | IdempotencyRecord> {
    const item = { ...idempotencyKey(key), ...record, ttl: Math.ceil(record.expiresAtMs / SECOND_MS) };
    const free = { text: 'attribute_not_exists(pk) OR expiresAtMs <= :now', values: { ':now': nowMs } };
    const answer = await this.#table.put(item, free);
    if (answer.written) return 'claimed';
    // An emulator or an older endpoint may not say what was in the way.
    const found = answer.found === undefined ? await this.read(key, nowMs) : toRecord(answer.found);
    if (found === undefined) return this.claim(key, record, nowMs);
    // A first try was done that nobody heard of: what is in the way is this claim.
    return found.jobId === record.jobId ? 'claimed' : found;
  }

  async renew(key: IdempotencyKey, jobId: string, leaseUntilMs: number, nowMs: number): Promise<boolean> {
    const { written } = await this.#table.change(idempotencyKey(key), {
      text: 'SET leaseUntilMs = :until',
      condition: 'jobId = :job AND leaseUntilMs <= :now AND expiresAtMs > :now',
      values: { ':until': leaseUntilMs, ':job': jobId, ':now': nowMs },
    });
    return written;
  }

  erase(tenant: string): Promise<void> {
    return this.#table.deleteAll(idempotencyPartition(tenant));
  }
}

function toRecord(item: Item): IdempotencyRecord {
  const { fingerprint, jobId, leaseUntilMs, expiresAtMs } = parseItem(recordSchema, item);
  return { fingerprint, jobId, leaseUntilMs, expiresAtMs };
}
