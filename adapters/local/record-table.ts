import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { z } from 'zod';
import { Failure } from '../../core/failure.ts';
import type { Log } from '../../core/ports/log.ts';
import type { Page } from '../../core/ports/registry.ts';
import type { Commits } from './group-commit.ts';
import { Lru } from './lru.ts';

/** A few KB each: 20 MB at the most. */
const MAX_CACHED = 5000;

type RecordRow = { readonly id: string; readonly record: string };

/**
 * The JSON records of one table. Reads are strong though cached: every write of the region passes here, takes the record
 * out of the cache, and nothing is put in while a transaction is open.
 */
export class RecordTable<T> {
  readonly #name: string;
  readonly #schema: z.ZodType<T>;
  readonly #commits: Commits;
  readonly #log: Log;
  readonly #select: StatementSync;
  readonly #epoch: StatementSync;
  readonly #put: StatementSync;
  readonly #delete: StatementSync;
  readonly #page: StatementSync;
  readonly #scope: StatementSync;
  readonly #cache = new Lru<T>(MAX_CACHED);

  constructor(name: string, schema: z.ZodType<T>, parts: { database: DatabaseSync; commits: Commits; log: Log }) {
    this.#name = name;
    this.#schema = schema;
    this.#commits = parts.commits;
    this.#log = parts.log;
    const prepare = (sql: string) => parts.database.prepare(sql);
    this.#select = prepare(`SELECT record FROM ${name} WHERE id = ?`);
    this.#epoch = prepare(`SELECT epoch FROM ${name} WHERE id = ?`);
    this.#put = prepare(`INSERT OR REPLACE INTO ${name} (id, epoch, scope, record) VALUES (?, ?, ?, ?)`);
    this.#delete = prepare(`DELETE FROM ${name} WHERE id = ?`);
    this.#page = prepare(`SELECT id, record FROM ${name} WHERE id > ? ORDER BY id LIMIT ?`);
    this.#scope = prepare(`SELECT id, record FROM ${name} WHERE scope IS ? ORDER BY id`);
  }

  /** Throws `record-damaged`. */
  async read(id: string): Promise<T | undefined> {
    const cached = this.#cache.get(id);
    if (cached !== undefined) return cached;
    return this.#commits.read(() => {
      const record = this.readNow(id);
      if (record !== undefined && !this.#commits.isOpen) this.#cache.set(id, record);
      return record;
    });
  }

  /** Inside a write: the record as it is there. */
  readNow(id: string): T | undefined {
    const row = this.#select.get(id) as Pick<RecordRow, 'record'> | undefined;
    return row === undefined ? undefined : this.#parse({ id, record: row.record });
  }

  /** Inside a write: the stored epoch, of a damaged record too; undefined if there is none. */
  epochNow(id: string): number | undefined {
    return (this.#epoch.get(id) as { epoch: number } | undefined)?.epoch;
  }

  /** Inside a write. */
  putNow(id: string, record: T, epoch: number, scope?: string): void {
    this.#cache.delete(id);
    this.#put.run(id, epoch, scope ?? null, JSON.stringify(this.#schema.parse(record)));
  }

  /** Inside a write. */
  removeNow(id: string): void {
    this.#cache.delete(id);
    this.#delete.run(id);
  }

  /** Inside a write: everything of a scope. */
  removeScopeNow(scope: string): void {
    for (const { id } of this.#scope.all(scope) as RecordRow[]) this.removeNow(id);
  }

  /** Damaged records are logged and left out, so that the others can be listed. */
  async page(limit: number, cursor = ''): Promise<Page<T>> {
    const rows = await this.#commits.read(() => this.#page.all(cursor, limit) as RecordRow[]);
    return { items: this.#readable(rows), next: rows.length === limit ? rows.at(-1)?.id : undefined };
  }

  /** All of a scope (undefined: all without one), damaged ones left out. */
  async ofScope(scope: string | undefined): Promise<readonly T[]> {
    return this.#readable(await this.#commits.read(() => this.#scope.all(scope ?? null) as RecordRow[]));
  }

  #readable(rows: readonly RecordRow[]): T[] {
    const records: T[] = [];
    for (const row of rows) {
      try {
        records.push(this.#parse(row));
      } catch (error) {
        this.#log.error('a record is left out of a list', error, { table: this.#name, id: row.id });
      }
    }
    return records;
  }

  #parse({ id, record }: RecordRow): T {
    try {
      return this.#schema.parse(JSON.parse(record));
    } catch (cause) {
      throw new Failure('record-damaged', { detail: `${this.#name} ${id}` }, { cause });
    }
  }
}
