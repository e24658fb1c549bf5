import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { asFailure, Failure } from '../../core/failure.ts';
import type { Log } from '../../core/ports/log.ts';
import type { DeliveryLimits } from '../../core/ports/webhooks.ts';
import { SECOND_MS } from '../../core/units.ts';
import { dueWebhooksKey, dueWebhooksPartition, LIST_SHARDS } from './keys.ts';
import { parseItem } from './parse-item.ts';
import type { Item, Table } from './table.ts';

/** Changes at once of one tenant's item; each that fails means that another one was made. */
const MOST_TRIES = 100;

const leaseSchema = z.strictObject({ id: z.string(), endpoint: z.string(), untilMs: z.number() });
const itemSchema = z.strictObject({
  pk: z.string(),
  sk: z.string(),
  version: z.string(),
  /** Of each endpoint that something waits for a time before which nothing of it is due: it may be too early, never too late. */
  dueAtMs: z.record(z.string(), z.number()),
  leases: z.array(leaseSchema),
});
export type Lease = z.infer<typeof leaseSchema>;
/** What of a tenant is due and who is at it. `version`: undefined where there is no item. */
export type Due = {
  readonly tenant: string;
  readonly version: string | undefined;
  readonly dueAtMs: Readonly<Record<string, number>>;
  readonly leases: readonly Lease[];
};

/** One item a tenant says what is due and what is leased: whoever replaces it has the leases that it grants. */
export class DueWebhooks {
  readonly #table: Table;
  readonly #log: Log;

  constructor(table: Table, log: Log) {
    this.#table = table;
    this.#log = log;
  }

  /** All tenants that something waits for. One that cannot be read is logged and left out. */
  async all(nowMs: number): Promise<readonly Due[]> {
    const shards = Array.from({ length: LIST_SHARDS }, (_, shard) => dueWebhooksPartition(shard));
    const items = await Promise.all(shards.map((pk) => Array.fromAsync(this.#table.query(pk))));
    return items.flat().flatMap((item) => {
      try {
        return [toDue(item, nowMs)];
      } catch (error) {
        this.#log.error('due webhooks of a tenant cannot be read', asFailure(error), { tenant: String(item.sk) });
        return [];
      }
    });
  }

  /** Replaces a tenant's item by what `change` makes of it, which is called again if another change came between. */
  async change(tenant: string, nowMs: number, change: (due: Due) => Pick<Due, 'dueAtMs' | 'leases'>): Promise<void> {
    for (let tries = 0; tries < MOST_TRIES; tries += 1) {
      const item = await this.#table.get(dueWebhooksKey(tenant));
      const due = item === undefined ? { tenant, version: undefined, dueAtMs: {}, leases: [] } : toDue(item, nowMs);
      if (await this.replace(due, change(due))) return;
    }
    throw new Failure('overloaded', { retryAfterMs: SECOND_MS });
  }

  /** False if it is no longer as it was read. */
  async replace({ tenant, version }: Due, { dueAtMs, leases }: Pick<Due, 'dueAtMs' | 'leases'>): Promise<boolean> {
    const key = dueWebhooksKey(tenant);
    const isEmpty = Object.keys(dueAtMs).length === 0 && leases.length === 0;
    if (version === undefined) {
      if (isEmpty) return true;
      const item = { ...key, version: randomUUID(), dueAtMs, leases };
      return (await this.#table.put(item, { text: 'attribute_not_exists(pk)' })).written;
    }
    const condition = { text: '#version = :read', names: { '#version': 'version' }, values: { ':read': version } };
    if (isEmpty) return (await this.#table.transact({ delete: key, condition })) === 'written';
    return (await this.#table.put({ ...key, version: randomUUID(), dueAtMs, leases }, condition)).written;
  }

  erase(tenant: string): Promise<void> {
    return this.#table.delete(dueWebhooksKey(tenant));
  }
}

/** With something of this endpoint due then. */
export function noted({ dueAtMs }: Pick<Due, 'dueAtMs'>, endpoint: string, atMs: number): Due['dueAtMs'] {
  return { ...dueAtMs, [endpoint]: Math.min(dueAtMs[endpoint] ?? Number.POSITIVE_INFINITY, atMs) };
}

/** Without an endpoint, or with a later time of it. */
export function without({ dueAtMs }: Pick<Due, 'dueAtMs'>, endpoint: string, nextMs?: number): Due['dueAtMs'] {
  const { [endpoint]: _, ...rest } = dueAtMs;
  return nextMs === undefined ? rest : { ...rest, [endpoint]: nextMs };
}

/** Adds as many of `wanted` to the leases as the limits allow and nobody has; returns all leases there are then. */
export function grant(leases: readonly Lease[], wanted: readonly Lease[], limits: DeliveryLimits): Lease[] {
  const granted = [...leases];
  for (const lease of wanted) {
    const ofEndpoint = granted.filter(({ endpoint }) => endpoint === lease.endpoint).length;
    if (granted.length >= limits.ofTenant || ofEndpoint >= limits.ofEndpoint) continue;
    if (!granted.some(({ id }) => id === lease.id)) granted.push(lease);
  }
  return granted;
}

/** Leases that have ended are as if they were not there. */
function toDue(item: Item, nowMs: number): Due {
  const { sk, version, dueAtMs, leases } = parseItem(itemSchema, item);
  return { tenant: sk, version, dueAtMs, leases: leases.filter(({ untilMs }) => untilMs > nowMs) };
}
