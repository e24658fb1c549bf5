import { z } from 'zod';
import { Failure } from '../../core/failure.ts';
import { type ModelRoute, type ModelVersion, modelVersionSchema } from '../../core/models/version.ts';
import type { Log } from '../../core/ports/log.ts';
import type { Page } from '../../core/ports/registry.ts';
import { digestKey, versionKey, versionPartition } from './keys.ts';
import { RecordItems } from './record-items.ts';
import type { Item, QueryOptions, Table } from './table.ts';

/** Pushes of one model at once that may each take the number that another one wanted. */
const MOST_TRIES = 50;
const NUMBER = /^[1-9][0-9]{0,8}$/;

const routeSchema: z.ZodType<ModelRoute> = z
  .strictObject({ model: z.string(), stable: z.string().optional(), epoch: z.int() })
  .transform((route) => ({ stable: undefined, ...route }));

/** Versions of models, numbered in order of pushing, and the routes that say which one answers. */
export class ModelItems {
  readonly #table: Table;
  readonly #log: Log;
  readonly #routes: RecordItems<ModelRoute>;

  constructor(table: Table, log: Log) {
    this.#table = table;
    this.#log = log;
    this.#routes = new RecordItems('route', routeSchema, { table, log });
  }

  async addVersion(pushed: Omit<ModelVersion, 'version'>): Promise<{ version: string; added: boolean }> {
    const { model, digest } = pushed;
    for (let tries = 0; tries < MOST_TRIES; tries += 1) {
      const same = await this.#table.get(digestKey(model, digest));
      if (same !== undefined) return { version: String(same.version), added: false };
      const number = (await this.#lastVersion(model)) + 1;
      const record = modelVersionSchema.parse({ ...pushed, version: String(number) });
      const isFree = { text: 'attribute_not_exists(pk)' };
      const added = await this.#table.transact(
        { put: { ...versionKey(model, number), record: JSON.stringify(record) }, condition: isFree },
        { put: { ...digestKey(model, digest), version: number }, condition: isFree },
      );
      if (added !== 'written') continue;
      await this.#routes.add(model, { model, stable: undefined, epoch: 0 });
      return { version: record.version, added: true };
    }
    throw new Failure('state-conflict', { detail: `many pushes of ${model} at once` });
  }

  /** Throws `record-damaged`. */
  async readVersion(model: string, version: string): Promise<ModelVersion | undefined> {
    if (!NUMBER.test(version)) return undefined;
    const item = await this.#table.get(versionKey(model, Number(version)));
    return item === undefined ? undefined : parse(model, item);
  }

  /** Damaged records are logged and left out. */
  async listVersions(
    model: string,
    limit: number,
    cursor?: string,
    order: 'oldest' | 'newest' = 'oldest',
  ): Promise<Page<ModelVersion>> {
    const at = cursor === undefined ? undefined : Number(cursor);
    const items: ModelVersion[] = [];
    let seen = 0;
    let last = '';
    for await (const item of this.#table.query(versionPartition(model), { limit, ...rangeOf(model, at, order) })) {
      seen += 1;
      last = String(Number(item.sk));
      try {
        items.push(parse(model, item));
      } catch (error) {
        this.#log.error('a record is left out of a list', error, { kind: 'version', model, version: last });
      }
    }
    return { items, next: seen === limit ? last : undefined };
  }

  listModels(limit: number, cursor?: string): Promise<Page<ModelRoute>> {
    return this.#routes.page(limit, cursor);
  }

  readRoute(model: string): Promise<ModelRoute | undefined> {
    return this.#routes.read(model);
  }

  writeRoute(route: ModelRoute): Promise<void> {
    return this.#routes.putNext(route.model, route);
  }

  async #lastVersion(model: string): Promise<number> {
    for await (const { sk } of this.#table.query(versionPartition(model), { limit: 1, newestFirst: true })) {
      return Number(sk);
    }
    return 0;
  }
}

/** Numbers begin at 1, and a range ends with its bounds. */
function rangeOf(model: string, at: number | undefined, order: 'oldest' | 'newest'): QueryOptions {
  const key = (version: number) => versionKey(model, version).sk;
  if (order === 'oldest') return { after: at === undefined ? undefined : key(at) };
  return at === undefined ? { newestFirst: true } : { after: key(0), before: key(at - 1), newestFirst: true };
}

function parse(model: string, item: Item): ModelVersion {
  try {
    return modelVersionSchema.parse(JSON.parse(String(item.record)));
  } catch (cause) {
    throw new Failure('record-damaged', { detail: `version ${Number(item.sk)} of ${model}` }, { cause });
  }
}
