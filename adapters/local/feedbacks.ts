import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { asFailure } from '../../core/failure.ts';
import type { Clock } from '../../core/ports/clock.ts';
import type {
  DayTally,
  Feedbacks,
  FoundPrediction,
  GivenFeedback,
  KeptPrediction,
  TallySpan,
} from '../../core/ports/feedbacks.ts';
import type { Log } from '../../core/ports/log.ts';
import {
  decodeGiven,
  decodeKept,
  encodeGiven,
  encodeKept,
  keptContext,
  tallyContext,
} from '../../core/quality/feedback/kept-codec.ts';
import { TALLIES_KEPT_MS, TOLD_LATE_MS } from '../../core/quality/feedback/limits.ts';
import { FeedbackTally } from '../../core/quality/feedback/tally.ts';
import { DAY_MS } from '../../core/units.ts';
import type { LocalDataKeys, TenantKey } from './data-keys.ts';
import type { Commits } from './group-commit.ts';
import { Lru } from './lru.ts';

/** Of one tenant and model, 300 bytes each; the oldest go first. */
const MOST_KEPT = 1_000_000;
/** Rows of one transaction that deletes: their content is overwritten, and the gateway waits meanwhile. */
const DELETED_AT_ONCE = 100;
/** Tenants erased of late, by when: what a worker still holds of their predictions is older than that, by seconds at the most. */
const ERASED_KNOWN = 10_000;

type Row = Pick<KeptPrediction, 'model' | 'version' | 'atMs' | 'expiresAtMs'> & {
  readonly sealed: Uint8Array;
  readonly given: Uint8Array | null;
};

type Parts = {
  readonly database: DatabaseSync;
  readonly commits: Commits;
  readonly dataKeys: LocalDataKeys;
  readonly clock: Clock;
  readonly log: Log;
};

/** A row a prediction, and a row a tally; feedback and its tally are one commit. */
export class LocalFeedbacks implements Feedbacks {
  readonly #commits: Commits;
  readonly #dataKeys: LocalDataKeys;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #mostKept: number;
  readonly #statements: Statements;
  readonly #erasedAtMs = new Lru<number>(ERASED_KNOWN);

  constructor({ database, commits, dataKeys, clock, log }: Parts, mostKept = MOST_KEPT) {
    this.#commits = commits;
    this.#dataKeys = dataKeys;
    this.#clock = clock;
    this.#log = log;
    this.#mostKept = mostKept;
    this.#statements = prepare(database);
  }

  async keep(offered: readonly KeptPrediction[]): Promise<void> {
    // Before it is sealed: who was removed gets no new key.
    const predictions = offered.filter((kept) => !this.#isErased(kept));
    const keys = await this.#keysOf(predictions);
    const sealed = predictions.map((kept) => {
      const key = keys.get(kept.tenant)!;
      return this.#dataKeys.sealWith(key, kept.tenant, keptContext('prediction', kept), encodeKept(kept));
    });
    await this.#commits.write(() => {
      const added = new Map<string, { tenant: string; model: string; count: number }>();
      for (const [at, kept] of predictions.entries()) {
        if (!this.#insert(kept, sealed[at]!)) continue;
        const { tenant, model } = kept;
        const of = added.get(`${tenant}/${model}`) ?? { tenant, model, count: 0 };
        added.set(`${tenant}/${model}`, { ...of, count: of.count + 1 });
      }
      for (const { tenant, model, count } of added.values()) this.#keepWithin(tenant, model, count);
    });
  }

  async read(tenant: string, id: string, nowMs: number): Promise<FoundPrediction | 'too-late' | undefined> {
    const row = await this.#commits.read(() => this.#row(tenant, id));
    if (row === undefined || row.expiresAtMs + TOLD_LATE_MS <= nowMs) return undefined;
    return row.expiresAtMs <= nowMs ? 'too-late' : this.#open(tenant, id, row);
  }

  async give(prediction: KeptPrediction, given: GivenFeedback): Promise<boolean> {
    const { tenant, id } = prediction;
    const key = await this.#dataKeys.keyOf(tenant);
    const sealed = this.#dataKeys.sealWith(key, tenant, keptContext('truth', prediction), encodeGiven(given));
    return this.#commits.write(() => {
      const row = this.#row(tenant, id);
      if (row === undefined || row.given !== null || row.expiresAtMs <= given.atMs) return false;
      this.#statements.give.run(sealed, tenant, id);
      this.#count(prediction, given, key);
      return true;
    });
  }

  async tallies(tenant: string, { model, version, fromMs, untilMs }: TallySpan): Promise<readonly DayTally[]> {
    const rows = await this.#commits.read(
      () =>
        this.#statements.tallies.all(tenant, model, version, fromMs, untilMs) as {
          dayMs: number;
          sealed: Uint8Array;
        }[],
    );
    return rows.flatMap(({ dayMs, sealed }) => {
      const tally = this.#openTally(tenant, tallyContext(model, version, dayMs), sealed);
      return tally === undefined ? [] : { dayMs, tally };
    });
  }

  async erase(tenant: string): Promise<void> {
    this.#erasedAtMs.set(tenant, this.#clock.nowMs());
    await this.#deleteAll(() => this.#statements.erase.run(tenant, DELETED_AT_ONCE).changes);
    await this.#commits.write(() => this.#statements.eraseTallies.run(tenant));
  }

  async purge(nowMs: number): Promise<number> {
    const kept = await this.#deleteAll(() => this.#statements.purge.run(nowMs - TOLD_LATE_MS, DELETED_AT_ONCE).changes);
    const tallies = await this.#deleteAll(
      () => this.#statements.purgeTallies.run(nowMs - TALLIES_KEPT_MS, DELETED_AT_ONCE).changes,
    );
    return kept + tallies;
  }

  #isErased({ tenant, atMs }: KeptPrediction): boolean {
    return atMs <= (this.#erasedAtMs.get(tenant) ?? Number.NEGATIVE_INFINITY);
  }

  async #keysOf(predictions: readonly KeptPrediction[]): Promise<ReadonlyMap<string, TenantKey>> {
    const keys = new Map<string, TenantKey>();
    for (const { tenant } of predictions) if (!keys.has(tenant)) keys.set(tenant, await this.#dataKeys.keyOf(tenant));
    return keys;
  }

  /** Inside a write. False if it is there already, or its tenant was erased while it was sealed. */
  #insert(kept: KeptPrediction, sealed: Uint8Array): boolean {
    if (this.#isErased(kept)) return false;
    const { tenant, id, model, version, atMs, expiresAtMs } = kept;
    return this.#statements.insert.run(tenant, id, model, version, atMs, expiresAtMs, sealed).changes === 1;
  }

  /** Inside a write that added so many. */
  #keepWithin(tenant: string, model: string, added: number): void {
    const { predictions } = this.#statements.total.get(tenant, model, added) as { readonly predictions: number };
    if (predictions > this.#mostKept) this.#statements.dropOldest.run(tenant, model, predictions - this.#mostKept);
  }

  /** Inside a write. */
  #count({ tenant, model, version, rows }: KeptPrediction, { labels, atMs }: GivenFeedback, key: TenantKey): void {
    const dayMs = Math.floor(atMs / DAY_MS) * DAY_MS;
    const context = tallyContext(model, version, dayMs);
    const before = this.#statements.tally.get(tenant, model, version, dayMs) as { sealed: Uint8Array } | undefined;
    const tally =
      (before === undefined ? undefined : this.#openTally(tenant, context, before.sealed)) ?? new FeedbackTally();
    for (const [at, row] of rows.entries()) tally.add(row, labels[at]!);
    const sealed = this.#dataKeys.sealWith(key, tenant, context, tally.encode());
    this.#statements.putTally.run(tenant, model, version, dayMs, sealed);
  }

  #row(tenant: string, id: string): Row | undefined {
    return this.#statements.select.get(tenant, id) as Row | undefined;
  }

  /** Undefined of what was sealed under a key that is destroyed. */
  #open(tenant: string, id: string, row: Row): FoundPrediction | undefined {
    const { sealed, given, ...plain } = row;
    const open = (what: 'prediction' | 'truth', bytes: Uint8Array) =>
      this.#dataKeys.openNow(tenant, keptContext(what, { id, ...plain }), bytes);
    try {
      const prediction = { tenant, id, ...plain, ...decodeKept(open('prediction', sealed)) };
      return { prediction, given: given === null ? undefined : decodeGiven(open('truth', given)) };
    } catch (error) {
      if (asFailure(error).code === 'data-erased') return undefined;
      throw error;
    }
  }

  #openTally(tenant: string, context: string, sealed: Uint8Array): FeedbackTally | undefined {
    try {
      return FeedbackTally.decode(this.#dataKeys.openNow(tenant, context, sealed));
    } catch (error) {
      if (asFailure(error).code !== 'data-erased') this.#log.error('a feedback tally is left out', error, { tenant });
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
  Record<
    | 'insert'
    | 'select'
    | 'give'
    | 'total'
    | 'dropOldest'
    | 'tally'
    | 'putTally'
    | 'tallies'
    | 'erase'
    | 'eraseTallies'
    | 'purge'
    | 'purgeTallies',
    StatementSync
  >
>;

function prepare(database: DatabaseSync): Statements {
  const ofDay = 'tenant = ? AND model = ? AND version = ?';
  const deleteSome = (table: string, which: string) =>
    database.prepare(`DELETE FROM ${table} WHERE seq IN (SELECT seq FROM ${table} WHERE ${which} LIMIT ?)`);
  return {
    insert: database.prepare(
      `INSERT OR IGNORE INTO kept_prediction (tenant, id, model, version, at_ms, expires_at_ms, sealed) VALUES (?, ?, ?, ?, ?, ?, ?)`,
    ),
    select: database.prepare(
      `SELECT model, version, at_ms AS atMs, expires_at_ms AS expiresAtMs, sealed, given FROM kept_prediction
       WHERE tenant = ? AND id = ?`,
    ),
    give: database.prepare('UPDATE kept_prediction SET given = ? WHERE tenant = ? AND id = ?'),
    total: database.prepare(
      `INSERT INTO kept_prediction_total (tenant, model, predictions) VALUES (?, ?, ?)
         ON CONFLICT DO UPDATE SET predictions = predictions + excluded.predictions RETURNING predictions`,
    ),
    // By the time of expiry, which is in order of age; who has a million has many of the oldest, so that few of others are passed over.
    dropOldest: database.prepare(
      `DELETE FROM kept_prediction WHERE seq IN
         (SELECT seq FROM kept_prediction INDEXED BY kept_prediction_expiry
          WHERE tenant = ? AND model = ? ORDER BY expires_at_ms, seq LIMIT ?)`,
    ),
    tally: database.prepare(`SELECT sealed FROM feedback_tally WHERE ${ofDay} AND day_ms = ?`),
    putTally: database.prepare(
      `INSERT INTO feedback_tally (tenant, model, version, day_ms, sealed) VALUES (?, ?, ?, ?, ?)
         ON CONFLICT (tenant, model, version, day_ms) DO UPDATE SET sealed = excluded.sealed`,
    ),
    tallies: database.prepare(
      `SELECT day_ms AS dayMs, sealed FROM feedback_tally WHERE ${ofDay} AND day_ms >= ? AND day_ms < ? ORDER BY day_ms`,
    ),
    erase: deleteSome('kept_prediction', 'tenant = ?'),
    eraseTallies: database.prepare('DELETE FROM feedback_tally WHERE tenant = ?'),
    purge: deleteSome('kept_prediction', 'expires_at_ms <= ?'),
    purgeTallies: deleteSome('feedback_tally', 'day_ms <= ?'),
  };
}
