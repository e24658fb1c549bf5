import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { asFailure } from '../../core/failure.ts';
import { CAPTURE_LIMITS, type CaptureLimits, MOST_LISTED_BYTES } from '../../core/inference/capture.ts';
import { captureContext, decodeCapture, encodeCapture } from '../../core/inference/capture-codec.ts';
import type { Capture, Captures } from '../../core/ports/captures.ts';
import type { Clock } from '../../core/ports/clock.ts';
import type { Log } from '../../core/ports/log.ts';
import type { LocalDataKeys } from './data-keys.ts';
import type { Commits } from './group-commit.ts';
import { Lru } from './lru.ts';

/** Rows of one transaction that deletes: their content is overwritten, and the gateway waits meanwhile. */
const DELETED_AT_ONCE = 100;
/** Tenants erased of late, by when: what a worker still holds of their predictions is older than that, by seconds at the most. */
const ERASED_KNOWN = 10_000;

type Row = Omit<Capture, 'inputs' | 'outputs'> & { readonly sealed: Uint8Array };
type Total = { readonly captures: number; readonly bytes: number };

type Parts = {
  readonly database: DatabaseSync;
  readonly commits: Commits;
  readonly dataKeys: LocalDataKeys;
  readonly clock: Clock;
  readonly log: Log;
};

/** A row a capture, its tensors sealed for its tenant, id, model and version. */
export class LocalCaptures implements Captures {
  readonly #commits: Commits;
  readonly #dataKeys: LocalDataKeys;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #limits: CaptureLimits;
  readonly #statements: Statements;
  readonly #erasedAtMs = new Lru<number>(ERASED_KNOWN);

  constructor({ database, commits, dataKeys, clock, log }: Parts, limits: CaptureLimits = CAPTURE_LIMITS) {
    this.#commits = commits;
    this.#dataKeys = dataKeys;
    this.#clock = clock;
    this.#log = log;
    this.#limits = limits;
    this.#statements = prepare(database);
  }

  async write(capture: Capture): Promise<void> {
    if (this.#isErased(capture)) return;
    const { tenant, id, model, version, atMs, expiresAtMs } = capture;
    const sealed = await this.#dataKeys.seal(tenant, captureContext(capture), encodeCapture(capture));
    await this.#commits.write(() => {
      // Its tenant may have been erased while it was sealed; and one that is too large alone drives no others out.
      if (this.#isErased(capture) || sealed.length > this.#limits.bytes) return;
      this.#statements.insert.run(tenant, id, model, version, atMs, expiresAtMs, sealed);
      this.#keepWithin(tenant, model);
    });
  }

  async list(model: string, limit: number, nowMs: number, tenant?: string): Promise<readonly Capture[]> {
    const rows = await this.#commits.read(() => this.#rows(model, limit, nowMs, tenant));
    return rows.flatMap((row) => this.#open(row) ?? []);
  }

  async erase(tenant: string): Promise<void> {
    this.#erasedAtMs.set(tenant, this.#clock.nowMs());
    await this.#deleteAll(() => this.#statements.erase.run(tenant, DELETED_AT_ONCE).changes);
  }

  purge(nowMs: number): Promise<number> {
    return this.#deleteAll(() => this.#statements.purge.run(nowMs, DELETED_AT_ONCE).changes);
  }

  #isErased({ tenant, atMs }: Capture): boolean {
    return atMs <= (this.#erasedAtMs.get(tenant) ?? Number.NEGATIVE_INFINITY);
  }

  /** Inside a write. */
  #keepWithin(tenant: string, model: string): void {
    const { total, dropOldest } = this.#statements;
    for (;;) {
      const { captures, bytes } = (total.get(tenant, model) as Total | undefined) ?? { captures: 0, bytes: 0 };
      if (captures <= this.#limits.captures && bytes <= this.#limits.bytes) return;
      dropOldest.run(tenant, model);
    }
  }

  #rows(model: string, limit: number, nowMs: number, tenant: string | undefined): Row[] {
    const { newest, newestOf } = this.#statements;
    const found =
      tenant === undefined ? newest.iterate(model, nowMs, limit) : newestOf.iterate(tenant, model, nowMs, limit);
    const rows: Row[] = [];
    let bytes = 0;
    for (const each of found) {
      const row = each as Row;
      bytes += row.sealed.length;
      if (bytes > MOST_LISTED_BYTES) break;
      rows.push(row);
    }
    return rows;
  }

  #open({ sealed, ...row }: Row): Capture | undefined {
    try {
      return { ...row, ...decodeCapture(this.#dataKeys.openNow(row.tenant, captureContext(row), sealed)) };
    } catch (error) {
      if (asFailure(error).code !== 'data-erased')
        this.#log.error('a capture is left out of a list', error, { tenant: row.tenant, capture: row.id });
      return undefined;
    }
  }

  /** A transaction at a time, until one finds too little to be followed by another. */
  async #deleteAll(deleteSome: () => number | bigint): Promise<number> {
    for (let deleted = 0; ; ) {
      const changes = Number(await this.#commits.write(deleteSome));
      deleted += changes;
      if (changes < DELETED_AT_ONCE) return deleted;
    }
  }
}

type Statements = Readonly<
  Record<'insert' | 'total' | 'dropOldest' | 'newest' | 'newestOf' | 'erase' | 'purge', StatementSync>
>;

function prepare(database: DatabaseSync): Statements {
  const columns = 'tenant, id, model, version, at_ms AS atMs, expires_at_ms AS expiresAtMs, sealed';
  const newestFirst = 'expires_at_ms > ? ORDER BY at_ms DESC, seq DESC LIMIT ?';
  const deleteSome = (which: string) =>
    database.prepare(`DELETE FROM capture WHERE seq IN (SELECT seq FROM capture WHERE ${which} LIMIT ?)`);
  return {
    insert: database.prepare(
      `INSERT OR IGNORE INTO capture (tenant, id, model, version, at_ms, expires_at_ms, sealed) VALUES (?, ?, ?, ?, ?, ?, ?)`,
    ),
    total: database.prepare('SELECT captures, bytes FROM capture_total WHERE tenant = ? AND model = ?'),
    dropOldest: database.prepare(
      `DELETE FROM capture WHERE seq =
         (SELECT seq FROM capture WHERE tenant = ? AND model = ? ORDER BY at_ms, seq LIMIT 1)`,
    ),
    newest: database.prepare(`SELECT ${columns} FROM capture WHERE model = ? AND ${newestFirst}`),
    newestOf: database.prepare(`SELECT ${columns} FROM capture WHERE tenant = ? AND model = ? AND ${newestFirst}`),
    erase: deleteSome('tenant = ?'),
    purge: deleteSome('expires_at_ms <= ?'),
  };
}
