import { Failure } from '../../core/failure.ts';
import type { Clock } from '../../core/ports/clock.ts';
import type { Log } from '../../core/ports/log.ts';
import { SECOND_MS } from '../../core/units.ts';
import { type WebhookDelivery, webhookDeliverySchema } from '../../core/webhooks/webhook.ts';
import { inParallel } from './in-parallel.ts';
import {
  deliveriesPartition,
  deliveryKey,
  deliveryListKey,
  deliveryListPartition,
  type Key,
  timeOf,
  waitingDeliveriesPartition,
  waitingDeliveryKey,
} from './keys.ts';
import type { Item, Table, Write } from './table.ts';

const MOST_READS = 16;
/** Writers of one delivery at once. */
const MOST_TRIES = 20;
const FREE = { text: 'attribute_not_exists(pk)' };

/** One that waits: when it is due and where that is written. */
export type Waiting = {
  readonly id: string;
  readonly endpoint: string;
  readonly dueAtMs: number;
  readonly key: Key;
};

/** Deliveries by id, listed by endpoint; one that waits is also in order of when it is due, changed in one transaction with it. */
export class WebhookDeliveries {
  readonly #table: Table;
  readonly #clock: Clock;
  readonly #log: Log;

  constructor(table: Table, clock: Clock, log: Log) {
    this.#table = table;
    this.#clock = clock;
    this.#log = log;
  }

  /** One that is there already stays as it is. */
  async add(delivery: WebhookDelivery): Promise<void> {
    const { tenant, endpoint, id, createdAtMs } = delivery;
    const ttl = ttlOf(delivery);
    const writes: Write[] = [
      { put: toItem(delivery), condition: FREE },
      { put: { ...deliveryListKey(tenant, endpoint, createdAtMs, id), id, ttl } },
    ];
    if (delivery.state === 'waiting') writes.push({ put: { ...waitingKeyOf(delivery), id, ttl } });
    await this.#transact(id, async () => writes);
  }

  /** False if it is gone. */
  settle(delivery: WebhookDelivery): Promise<boolean> {
    const { tenant, id } = delivery;
    return this.#transact(id, async () => {
      const before = await this.read(tenant, id);
      if (before === undefined) return undefined;
      const [old, next] = [waitingKeyOf(before), waitingKeyOf(delivery)];
      const unchanged = { text: 'dueAtMs = :read', values: { ':read': before.dueAtMs } };
      const writes: Write[] = [{ put: toItem(delivery), condition: unchanged }];
      if (delivery.state === 'waiting') writes.push({ put: { ...next, id, ttl: ttlOf(delivery) } });
      if (delivery.state !== 'waiting' || old.sk !== next.sk) writes.push({ delete: old });
      return writes;
    });
  }

  /** Throws `record-damaged`. */
  async read(tenant: string, id: string): Promise<WebhookDelivery | undefined> {
    const item = await this.#table.get(deliveryKey(tenant, id));
    if (item === undefined) return undefined;
    const delivery = parse(id, item);
    return delivery.expiresAtMs > this.#clock.nowMs() ? delivery : undefined;
  }

  /** Those that can be read, in the order of the ids. */
  async readAll(tenant: string, ids: readonly string[]): Promise<readonly WebhookDelivery[]> {
    const found = await inParallel(ids, MOST_READS, async (id) => {
      try {
        return await this.read(tenant, id);
      } catch (error) {
        if (!(error instanceof Failure) || error.code !== 'record-damaged') throw error;
        this.#log.error('a delivery cannot be read', error, { tenant, delivery: id });
        return undefined;
      }
    });
    return found.filter((delivery) => delivery !== undefined);
  }

  async list(tenant: string, endpoint: string, limit: number): Promise<readonly WebhookDelivery[]> {
    const ids: string[] = [];
    const newest = { newestFirst: true, limit };
    for await (const { id } of this.#table.query(deliveryListPartition(tenant, endpoint), newest)) ids.push(String(id));
    return this.readAll(tenant, ids);
  }

  /** Up to `limit` of an endpoint that wait, longest due first. */
  async waiting(tenant: string, endpoint: string, limit: number): Promise<readonly Waiting[]> {
    const waiting: Waiting[] = [];
    for await (const item of this.#table.query(waitingDeliveriesPartition(tenant, endpoint), { limit })) {
      const key = { pk: String(item.pk), sk: String(item.sk) };
      waiting.push({ id: String(item.id), endpoint, dueAtMs: timeOf(key), key });
    }
    return waiting;
  }

  /** Of one whose delivery is gone or cannot be read: it would be due for ever. */
  forget({ key }: Waiting): Promise<void> {
    return this.#table.delete(key);
  }

  async removeOf(tenant: string, endpoint: string): Promise<void> {
    const listed = await Array.fromAsync(this.#table.query(deliveryListPartition(tenant, endpoint)));
    await inParallel(listed, MOST_READS, ({ id }) => this.#table.delete(deliveryKey(tenant, String(id))));
    await this.#removeLists(tenant, endpoint);
  }

  /** `endpoints`: those that are known; those of its deliveries come on top. */
  async erase(tenant: string, endpoints: readonly string[]): Promise<void> {
    const all = new Set(endpoints);
    for await (const { endpoint } of this.#table.query(deliveriesPartition(tenant))) all.add(String(endpoint));
    for (const endpoint of all) await this.#removeLists(tenant, endpoint);
    await this.#table.deleteAll(deliveriesPartition(tenant));
  }

  async #removeLists(tenant: string, endpoint: string): Promise<void> {
    await this.#table.deleteAll(waitingDeliveriesPartition(tenant, endpoint));
    await this.#table.deleteAll(deliveryListPartition(tenant, endpoint));
  }

  /** False if there is nothing to write. What another one wrote meanwhile is read again; of `add` it means that it is there. */
  async #transact(id: string, writesNow: () => Promise<readonly Write[] | undefined>): Promise<boolean> {
    for (let tries = 0; tries < MOST_TRIES; tries += 1) {
      const writes = await writesNow();
      if (writes === undefined) return false;
      const answer = await this.#table.transact(...writes);
      if (answer === 'written') return true;
      if (answer === 'refused' && writes[0]?.condition === FREE) return false;
    }
    throw new Failure('state-conflict', { detail: `many writers of delivery ${id} at once` });
  }
}

function waitingKeyOf({ tenant, endpoint, dueAtMs, id }: WebhookDelivery): Key {
  return waitingDeliveryKey(tenant, endpoint, dueAtMs, id);
}

function toItem(delivery: WebhookDelivery) {
  const { tenant, id, endpoint, dueAtMs } = delivery;
  const record = JSON.stringify(webhookDeliverySchema.parse(delivery));
  return { ...deliveryKey(tenant, id), endpoint, dueAtMs, record, ttl: ttlOf(delivery) };
}

function parse(id: string, item: Item): WebhookDelivery {
  try {
    return webhookDeliverySchema.parse(JSON.parse(String(item.record)));
  } catch (cause) {
    throw new Failure('record-damaged', { detail: `delivery ${id}` }, { cause });
  }
}

function ttlOf({ expiresAtMs }: WebhookDelivery): number {
  return Math.ceil(expiresAtMs / SECOND_MS);
}
