import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { Clock } from '../../core/ports/clock.ts';
import type { Log } from '../../core/ports/log.ts';
import type {
  RolledUntil,
  RollUp,
  RollUpSpan,
  Telemetries,
  Telemetry,
  TelemetryItem,
  TelemetryStep,
  VersionName,
} from '../../core/ports/telemetry.ts';
import { decodeTelemetry, encodeTelemetry } from '../../core/quality/encode-telemetry.ts';
import { readSeries } from '../../core/quality/read-series.ts';
import { Steps } from '../../core/quality/steps.ts';
import { addTelemetry, emptyTelemetry } from '../../core/quality/telemetry.ts';
import { TELEMETRY_KEPT_MS } from '../../core/quality/telemetry-kept.ts';
import { HOUR_MS, MINUTE_MS } from '../../core/units.ts';
import type { Commits } from './group-commit.ts';
import { LocalRollUps } from './roll-ups.ts';
import { Turns } from './turns.ts';

/** Rows that are read and merged in one turn: 0.2 ms each, 1.2 ms of a release with 200 cohorts, and the gateway waits meanwhile. */
const READ_AT_ONCE = 4;
const DELETED_AT_ONCE = 1000;

/** Of each version whether it has a report in the span; hours tell of what is older than reports are kept. */
const ACTIVE = `
SELECT model, version FROM reported_version v
WHERE EXISTS (
  SELECT 1 FROM telemetry t
  WHERE t.model = v.model AND t.version = v.version AND t.window_start_ms >= :fromMs AND t.window_start_ms < :untilMs
) OR EXISTS (
  SELECT 1 FROM telemetry_roll_up r
  WHERE r.span = 'hour' AND r.model = v.model AND r.version = v.version AND r.start_ms >= :hourMs AND r.start_ms < :untilMs
)`;

type Parts = { readonly database: DatabaseSync; readonly commits: Commits; readonly clock: Clock; readonly log: Log };
type Row = {
  readonly windowStartMs: number;
  readonly writer: string;
  readonly sequence: number;
  readonly shard: number;
};

/** A row an item, all of an append in one commit; what is committed is found by every read from then on. */
export class LocalTelemetry implements Telemetries {
  readonly #commits: Commits;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #turns = new Turns();
  readonly #rollUps: LocalRollUps;
  readonly #statements: Readonly<Record<'insert' | 'know' | 'select' | 'active' | 'purge', StatementSync>>;

  constructor({ database, commits, clock, log }: Parts) {
    this.#rollUps = new LocalRollUps({ database, commits, clock, log, turns: this.#turns });
    this.#commits = commits;
    this.#clock = clock;
    this.#log = log;
    this.#statements = {
      insert: database.prepare(
        `INSERT OR IGNORE INTO telemetry (model, version, window_start_ms, writer, sequence, shard, encoded)
         VALUES (?, ?, ?, ?, ?, ?, ?)`,
      ),
      know: database.prepare('INSERT OR IGNORE INTO reported_version (model, version) VALUES (?, ?)'),
      select: database.prepare(
        `SELECT window_start_ms AS windowStartMs, writer, sequence, shard, encoded FROM telemetry
         WHERE model = ? AND version = ? AND window_start_ms > ? AND window_start_ms < ?
           AND (window_start_ms, writer, sequence, shard) > (?, ?, ?, ?)
         ORDER BY window_start_ms, writer, sequence, shard LIMIT ${READ_AT_ONCE}`,
      ),
      active: database.prepare(ACTIVE),
      purge: database.prepare(
        `DELETE FROM telemetry WHERE rowid IN (SELECT rowid FROM telemetry WHERE window_start_ms <= ? LIMIT ${DELETED_AT_ONCE})`,
      ),
    };
  }

  async append(items: readonly TelemetryItem[]): Promise<void> {
    const rows = items.map((item) => ({ ...item, encoded: encodeTelemetry(item.telemetry) }));
    await this.#commits.write(() => {
      for (const { model, version, windowStartMs, writer, sequence, shard, encoded } of rows) {
        this.#statements.insert.run(model, version, windowStartMs, writer, sequence, shard, encoded);
        this.#statements.know.run(model, version);
      }
    });
  }

  async read(model: string, version: string, fromMs: number, untilMs: number, release?: string): Promise<Telemetry> {
    const merged = emptyTelemetry(release);
    await this.#each(model, version, fromMs, untilMs, (_, telemetry) => addTelemetry(merged, telemetry));
    return merged;
  }

  async activeVersions(fromMs: number, untilMs: number): Promise<readonly VersionName[]> {
    const hourMs = Math.floor(fromMs / HOUR_MS) * HOUR_MS;
    const found = await this.#commits.read(() => this.#statements.active.all({ fromMs, untilMs, hourMs }));
    return (found as VersionName[]).map(({ model, version }) => ({ model, version }));
  }

  series(
    model: string,
    version: string,
    fromMs: number,
    untilMs: number,
    stepMs: number,
  ): Promise<readonly TelemetryStep[]> {
    const source = {
      readRollUps: this.#rollUps.read.bind(this.#rollUps),
      rolledUntil: () => this.#rollUps.rolledUntil(),
      addReports: (steps: Steps, range: VersionName & { readonly fromMs: number; readonly untilMs: number }) =>
        this.#each(range.model, range.version, range.fromMs, range.untilMs, (atMs, telemetry) =>
          steps.add(atMs, telemetry),
        ),
    };
    return readSeries(source, { model, version, fromMs, untilMs, stepMs });
  }

  async readMinutes(model: string, version: string, fromMs: number, untilMs: number): Promise<readonly RollUp[]> {
    const minutes = new Steps(fromMs - (fromMs % MINUTE_MS), MINUTE_MS);
    await this.#each(model, version, fromMs, untilMs, (atMs, telemetry) => minutes.add(atMs, telemetry));
    return minutes.inOrder().map((step) => ({ model, version, span: 'minute', ...step }));
  }

  readRollUps(
    span: RollUpSpan,
    model: string,
    version: string,
    fromMs: number,
    untilMs: number,
  ): Promise<readonly RollUp[]> {
    return this.#rollUps.read(span, model, version, fromMs, untilMs);
  }

  keepRollUps(rollUps: readonly RollUp[]): Promise<void> {
    return this.#rollUps.keep(rollUps);
  }

  rolledUntil(): Promise<RolledUntil | undefined> {
    return this.#rollUps.rolledUntil();
  }

  markRolled(until: RolledUntil): Promise<void> {
    return this.#rollUps.mark(until);
  }

  async purge(nowMs: number): Promise<number> {
    await this.#commits.write(() => this.#rollUps.purge(nowMs));
    for (let deleted = 0; ; ) {
      const changes = Number(
        await this.#commits.write(() => this.#statements.purge.run(nowMs - TELEMETRY_KEPT_MS).changes),
      );
      deleted += changes;
      if (changes < DELETED_AT_ONCE) return deleted;
    }
  }

  async #each(
    model: string,
    version: string,
    fromMs: number,
    untilMs: number,
    visit: (windowStartMs: number, telemetry: Telemetry) => void,
  ): Promise<void> {
    // Before all that start then.
    let after: Row = { windowStartMs: fromMs, writer: '', sequence: -1, shard: -1 };
    for (;;) {
      await this.#turns.next();
      const rows = await this.#commits.read(() => this.#rowsAfter(model, version, untilMs, after));
      for (const { windowStartMs, telemetry } of rows) if (telemetry !== undefined) visit(windowStartMs, telemetry);
      if (rows.length < READ_AT_ONCE) return;
      after = rows.at(-1)!;
    }
  }

  #rowsAfter(
    model: string,
    version: string,
    untilMs: number,
    after: Row,
  ): (Row & { telemetry: Telemetry | undefined })[] {
    const { windowStartMs, writer, sequence, shard } = after;
    const forgottenMs = this.#clock.nowMs() - TELEMETRY_KEPT_MS;
    const found = this.#statements.select.all(
      ...[model, version, forgottenMs, untilMs, windowStartMs, writer, sequence, shard],
    );
    return (found as (Row & { readonly encoded: string })[]).map(({ encoded, ...row }) => ({
      ...row,
      telemetry: this.#decode(`${model}@${version}`, row, encoded),
    }));
  }

  #decode(version: string, { writer, sequence }: Row, encoded: string): Telemetry | undefined {
    try {
      return decodeTelemetry(encoded);
    } catch (error) {
      this.#log.error('telemetry cannot be read: left out', error, { version, writer, sequence });
      return undefined;
    }
  }
}
