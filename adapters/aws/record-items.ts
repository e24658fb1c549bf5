import type { z } from 'zod';
import { Failure } from '../../core/failure.ts';
import type { Log } from '../../core/ports/log.ts';
import type { Page } from '../../core/ports/registry.ts';
import { type Key, LIST_SHARDS, listKey, listPartition, type RecordKind, recordKey } from './keys.ts';
import type { Expression, Table } from './table.ts';

type Parts = { readonly table: Table; readonly log: Log };

/**
 * Control records of one kind as JSON, each noted in a list before it is written: one that is listed and not there was cut
 * short or removed, and is left out. Reads of a record are strong, lists of what was written before too.
 */
export class RecordItems<T> {
  readonly #kind: RecordKind;
  readonly #schema: z.ZodType<T>;
  readonly #table: Table;
  readonly #log: Log;

  constructor(kind: RecordKind, schema: z.ZodType<T>, { table, log }: Parts) {
    this.#kind = kind;
    this.#schema = schema;
    this.#table = table;
    this.#log = log;
  }

  /** Throws `record-damaged`. */
  async read(id: string): Promise<T | undefined> {
    const item = await this.#table.get(recordKey(this.#kind, id));
    return item === undefined ? undefined : this.#parse(id, item.record);
  }

  /** Writes it whatever is there. */
  async put(id: string, record: T, scope?: string): Promise<void> {
    await this.#write(id, record, scope);
  }

  /** False if there is one already. */
  add(id: string, record: T & { readonly epoch?: number }, scope?: string): Promise<boolean> {
    return this.#write(id, record, scope, { text: 'attribute_not_exists(pk)' }, record.epoch);
  }

  /** Writes the next epoch, the first one where there is none or an epoch of 0: `already-exists`, `state-conflict`. */
  async putNext(id: string, record: T & { readonly epoch: number }): Promise<void> {
    const { epoch } = record;
    const isNext = {
      text: epoch === 1 ? 'attribute_not_exists(pk) OR epoch = :before' : 'epoch = :before',
      values: { ':before': epoch - 1 },
    };
    if (await this.#write(id, record, '', isNext, epoch)) return;
    const code = epoch === 1 ? 'already-exists' : 'state-conflict';
    throw new Failure(code, { detail: `${this.#kind} ${id}` });
  }

  async remove(id: string, scope = ''): Promise<void> {
    await this.#table.delete(recordKey(this.#kind, id));
    await this.#table.delete(listKey(this.#kind, id, scope));
  }

  /** In order of id; damaged records are logged and left out. */
  async page(limit: number, cursor?: string, scope = ''): Promise<Page<T>> {
    const ids = (await Promise.all(this.#partitions(scope).map((pk) => this.#idsOf(pk, limit, cursor)))).flat();
    const shown = ids.sort().slice(0, limit);
    const items = (await Promise.all(shown.map((id) => this.#readable(id)))).filter((item) => item !== undefined);
    return { items, next: ids.length > limit || shown.length === limit ? shown.at(-1) : undefined };
  }

  /** All of them, in order of id. */
  async all(scope = ''): Promise<readonly T[]> {
    const ids = (await Promise.all(this.#partitions(scope).map((pk) => this.#idsOf(pk)))).flat().sort();
    return (await Promise.all(ids.map((id) => this.#readable(id)))).filter((item) => item !== undefined);
  }

  async ids(scope: string): Promise<readonly string[]> {
    return (await Promise.all(this.#partitions(scope).map((pk) => this.#idsOf(pk)))).flat();
  }

  async #write(id: string, record: T, scope = '', condition?: Expression, epoch = 1): Promise<boolean> {
    const json = JSON.stringify(this.#schema.parse(record));
    await this.#table.put(listKey(this.#kind, id, scope));
    const item = { ...recordKey(this.#kind, id), epoch, record: json };
    return (await this.#table.put(item, condition)).written;
  }

  #partitions(scope: string): string[] {
    return Array.from({ length: LIST_SHARDS }, (_, shard) => listPartition(this.#kind, scope, shard));
  }

  async #idsOf(pk: string, limit?: number, after?: string): Promise<string[]> {
    const ids: string[] = [];
    for await (const { sk } of this.#table.query(pk, { ...(limit !== undefined && { limit }), after })) {
      ids.push((sk as Key['sk']).toString());
    }
    return ids;
  }

  async #readable(id: string): Promise<T | undefined> {
    try {
      return await this.read(id);
    } catch (error) {
      if (!(error instanceof Failure) || error.code !== 'record-damaged') throw error;
      this.#log.error('a record is left out of a list', error, { kind: this.#kind, id });
      return undefined;
    }
  }

  #parse(id: string, json: unknown): T {
    try {
      return this.#schema.parse(JSON.parse(String(json)));
    } catch (cause) {
      throw new Failure('record-damaged', { detail: `${this.#kind} ${id}` }, { cause });
    }
  }
}
