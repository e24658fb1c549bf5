import { z } from 'zod';
import type { CaptureLimits } from '../../core/inference/capture.ts';
import type { Capture } from '../../core/ports/captures.ts';
import type { Log } from '../../core/ports/log.ts';
import { SECOND_MS } from '../../core/units.ts';
import {
  CAPTURE_MODEL_INDEX,
  CAPTURE_TENANT_INDEX,
  captureErasureKey,
  captureKey,
  captureModelPartition,
  captureShard,
  capturesPartition,
  captureTenantPartition,
  LIST_SHARDS,
} from './keys.ts';
import type { Item, Table } from './table.ts';

/** As an index knows a capture. */
export type Entry = Pick<Capture, 'tenant' | 'id' | 'atMs' | 'expiresAtMs'> & {
  readonly bytes: number;
  readonly blob: string | undefined;
};
/** As it is kept. */
export type CaptureItem = Omit<Capture, 'inputs' | 'outputs'> & {
  readonly bytes: number;
  readonly blob?: string | undefined;
  /** Unless it is in a blob. */
  readonly sealed?: Uint8Array | undefined;
};

const entrySchema = z
  .object({
    tenant: z.string(),
    sk: z.string(),
    atMs: z.number(),
    expiresAtMs: z.number(),
    bytes: z.number(),
    blob: z.string().optional(),
  })
  .transform(({ sk, blob, ...entry }) => ({ ...entry, id: sk, blob }));

const itemSchema = z
  .object({
    tenant: z.string(),
    sk: z.string(),
    model: z.string(),
    version: z.string(),
    atMs: z.number(),
    expiresAtMs: z.number(),
    bytes: z.number(),
    blob: z.string().optional(),
    sealed: z.instanceof(Uint8Array).optional(),
  })
  .transform(({ sk, ...item }) => ({ ...item, id: sk }));

/** The items of captures; which of a tenant and model are within the limits is told by the index alone, without their payload. */
export class CaptureItems {
  readonly #table: Table;
  readonly #limits: CaptureLimits;
  readonly #log: Log;

  constructor(table: Table, limits: CaptureLimits, log: Log) {
    this.#table = table;
    this.#limits = limits;
    this.#log = log;
  }

  /** False if it is there already. */
  async add(
    capture: Omit<Capture, 'inputs' | 'outputs'> & Pick<Entry, 'bytes' | 'blob'>,
    sealed: Uint8Array | undefined,
  ): Promise<boolean> {
    const { tenant, id, model, version, atMs, expiresAtMs, bytes, blob } = capture;
    const listed = {
      ofTenant: captureTenantPartition(tenant, model),
      ofModel: captureModelPartition(model, captureShard(tenant)),
    };
    const item = { tenant, model, version, atMs, expiresAtMs, bytes, blob, sealed };
    const ttl = Math.ceil(expiresAtMs / SECOND_MS);
    const isFree = { text: 'attribute_not_exists(pk)' };
    return (await this.#table.put({ ...captureKey(tenant, id), ...item, ...listed, ttl }, isFree)).written;
  }

  /** In the order of the entries, without those that are gone or cannot be read. */
  async read(entries: readonly Entry[]): Promise<readonly CaptureItem[]> {
    const items = await this.#table.getMany(entries.map(({ tenant, id }) => captureKey(tenant, id)));
    const byName = new Map(items.map((item) => [`${item.pk} ${item.sk}`, item]));
    return entries.flatMap(({ tenant, id }) => {
      const { pk, sk } = captureKey(tenant, id);
      const item = byName.get(`${pk} ${sk}`);
      const { data, error } = itemSchema.safeParse(item);
      if (item !== undefined && error !== undefined)
        this.#log.error('a capture cannot be read', error, { tenant, capture: id });
      return data ?? [];
    });
  }

  /** The newest first, without what has expired or is over the limits. */
  async list(model: string, limit: number, nowMs: number, tenant: string | undefined): Promise<readonly Entry[]> {
    if (tenant !== undefined) return this.#listOf(this.#ofTenant(tenant, model), limit, nowMs);
    const shards = Array.from({ length: LIST_SHARDS }, (_, shard) => captureModelPartition(model, shard));
    const lists = await Promise.all(
      shards.map((shard) => this.#listOf(this.#table.queryIndexDown(CAPTURE_MODEL_INDEX, shard), limit, nowMs)),
    );
    return lists
      .flat()
      .sort((a, b) => b.atMs - a.atMs)
      .slice(0, limit);
  }

  /** What is over the limit in number: those within it are counted, not read. */
  async listBeyondNumber(tenant: string, model: string, nowMs: number): Promise<readonly Entry[]> {
    return Array.fromAsync(this.#live(this.#ofTenant(tenant, model, this.#limits.captures), nowMs));
  }

  /** What is over the limits in bytes or number. */
  async listBeyond(tenant: string, model: string, nowMs: number): Promise<readonly Entry[]> {
    const tally = new Tally(this.#limits);
    const entries = await Array.fromAsync(this.#live(this.#ofTenant(tenant, model), nowMs));
    return entries.filter((entry) => !tally.takes(entry));
  }

  async remove(entries: readonly Pick<Entry, 'tenant' | 'id'>[]): Promise<void> {
    await this.#table.deleteMany(entries.map(({ tenant, id }) => captureKey(tenant, id)));
  }

  /** First that it is so: who writes afterwards reads it. */
  async erase(tenant: string, erasedAtMs: number, ttl: number): Promise<void> {
    await this.#table.put({ ...captureErasureKey(tenant), erasedAtMs, ttl });
    await this.#table.deleteAll(capturesPartition(tenant));
  }

  /** Predictions made until then have left nothing. */
  async readErasure(tenant: string): Promise<number> {
    const item = await this.#table.get(captureErasureKey(tenant));
    return item === undefined ? Number.NEGATIVE_INFINITY : Number(item.erasedAtMs);
  }

  async #listOf(items: AsyncIterable<Item>, limit: number, nowMs: number): Promise<Entry[]> {
    const tally = new Tally(this.#limits);
    const entries: Entry[] = [];
    if (limit < 1) return entries;
    for await (const entry of this.#live(items, nowMs)) {
      if (tally.takes(entry)) entries.push(entry);
      if (entries.length === limit) break;
    }
    return entries;
  }

  /** One that cannot be read keeps no other from being listed. */
  async *#live(items: AsyncIterable<Item>, nowMs: number): AsyncGenerator<Entry> {
    for await (const item of items) {
      const { data, error } = entrySchema.safeParse(item);
      if (data === undefined) this.#log.error('a capture cannot be listed', error, { capture: String(item.sk) });
      else if (data.expiresAtMs > nowMs) yield data;
    }
  }

  #ofTenant(tenant: string, model: string, skipped = 0): AsyncIterable<Item> {
    return this.#table.queryIndexDown(CAPTURE_TENANT_INDEX, captureTenantPartition(tenant, model), skipped);
  }
}

/** What of each tenant is within the limits, told the newest first. */
class Tally {
  readonly #limits: CaptureLimits;
  readonly #taken = new Map<string, CaptureLimits>();

  constructor(limits: CaptureLimits) {
    this.#limits = limits;
  }

  takes({ tenant, bytes }: Entry): boolean {
    const before = this.#taken.get(tenant) ?? { captures: 0, bytes: 0 };
    const after = { captures: before.captures + 1, bytes: before.bytes + bytes };
    this.#taken.set(tenant, after);
    return after.captures <= this.#limits.captures && after.bytes <= this.#limits.bytes;
  }
}
