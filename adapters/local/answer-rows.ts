import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { TENANT_SHARE } from '../../core/inference/answer-memory.ts';
import { MIB } from '../../core/units.ts';

/** On the disk, of all tenants: at 1 KB an answer a quarter of a million. */
export const STORED_BYTES = 256 * MIB;
/** What a row takes beside its sealed bytes: its keys, three times over in the indexes. */
const ROW_BYTES = 500;

export type AnswerRow = {
  readonly tenant: string;
  readonly id: string;
  readonly sealed: Uint8Array;
  readonly expiresAtMs: number;
};
type RowSize = { readonly tenant: string; readonly id: string; readonly bytes: number };

/**
 * The statements on `answer`, bounded in bytes for each tenant and in all; what expires first goes first. What writes is to be
 * run inside `Commits.write`; if that fails, `count` sets the sums right.
 */
export class AnswerRows {
  readonly #limitBytes: number;
  readonly #statements: Readonly<
    Record<'find' | 'size' | 'put' | 'delete' | 'firstOfTenant' | 'first' | 'expired' | 'erase' | 'sums', StatementSync>
  >;
  readonly #bytesOf = new Map<string, number>();
  #bytes = 0;

  constructor(database: DatabaseSync, limitBytes: number) {
    this.#limitBytes = limitBytes;
    const prepare = (sql: string) => database.prepare(sql);
    const sizes = 'SELECT tenant, id, bytes FROM answer';
    this.#statements = {
      find: prepare('SELECT sealed FROM answer WHERE tenant = ? AND id = ? AND expires_at_ms > ?'),
      size: prepare(`${sizes} WHERE tenant = ? AND id = ?`),
      put: prepare('INSERT INTO answer (tenant, id, sealed, bytes, expires_at_ms) VALUES (?, ?, ?, ?, ?)'),
      delete: prepare('DELETE FROM answer WHERE tenant = ? AND id = ?'),
      firstOfTenant: prepare(`${sizes} WHERE tenant = ? ORDER BY expires_at_ms LIMIT 1`),
      first: prepare(`${sizes} ORDER BY expires_at_ms LIMIT 1`),
      expired: prepare(`${sizes} WHERE expires_at_ms <= ? ORDER BY expires_at_ms LIMIT ?`),
      erase: prepare('DELETE FROM answer WHERE tenant = ?'),
      sums: prepare('SELECT tenant, sum(bytes) AS bytes FROM answer GROUP BY tenant'),
    };
    this.count();
  }

  /** Sums up what is on the disk. */
  count(): void {
    this.#bytesOf.clear();
    this.#bytes = 0;
    for (const { tenant, bytes } of this.#statements.sums.all() as RowSize[]) this.#add(tenant, bytes);
  }

  /** False if nothing of this tenant is stored: not worth a look. */
  has(tenant: string): boolean {
    return this.#bytesOf.has(tenant);
  }

  find(tenant: string, id: string, nowMs: number): Uint8Array | undefined {
    return (this.#statements.find.get(tenant, id, nowMs) as { sealed: Uint8Array } | undefined)?.sealed;
  }

  put({ tenant, id, sealed, expiresAtMs }: AnswerRow): void {
    const before = this.#statements.size.get(tenant, id) as RowSize | undefined;
    if (before !== undefined) this.#delete(before);
    const bytes = sealed.length + ROW_BYTES;
    this.#statements.put.run(tenant, id, sealed, bytes, expiresAtMs);
    this.#add(tenant, bytes);
    while (this.#bytesOf.get(tenant)! > this.#limitBytes * TENANT_SHARE) {
      this.#delete(this.#statements.firstOfTenant.get(tenant) as RowSize);
    }
    while (this.#bytes > this.#limitBytes) this.#delete(this.#statements.first.get() as RowSize);
  }

  /** Returns how many. */
  deleteExpired(nowMs: number, limit: number): number {
    const expired = this.#statements.expired.all(nowMs, limit) as RowSize[];
    for (const row of expired) this.#delete(row);
    return expired.length;
  }

  erase(tenant: string): void {
    this.#statements.erase.run(tenant);
    this.#add(tenant, -(this.#bytesOf.get(tenant) ?? 0));
  }

  #delete({ tenant, id, bytes }: RowSize): void {
    this.#statements.delete.run(tenant, id);
    this.#add(tenant, -bytes);
  }

  #add(tenant: string, bytes: number): void {
    this.#bytes += bytes;
    const ofTenant = (this.#bytesOf.get(tenant) ?? 0) + bytes;
    if (ofTenant > 0) this.#bytesOf.set(tenant, ofTenant);
    else this.#bytesOf.delete(tenant);
  }
}
