import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { Clock } from '../../core/ports/clock.ts';
import type { Log } from '../../core/ports/log.ts';
import type { RolledUntil, RollUp, RollUpSpan } from '../../core/ports/telemetry.ts';
import { decodeTelemetry, encodeTelemetry } from '../../core/quality/encode-telemetry.ts';
import { ROLL_UP_KEPT_MS } from '../../core/quality/telemetry-kept.ts';
import type { Commits } from './group-commit.ts';
import type { Turns } from './turns.ts';

/** Rows that are read, or written, in one turn: 0.3 ms each, and the gateway waits meanwhile. */
const AT_ONCE = 8;
const SPANS = ['minute', 'hour'] as const;

type Parts = {
  readonly database: DatabaseSync;
  readonly commits: Commits;
  readonly clock: Clock;
  readonly log: Log;
  readonly turns: Turns;
};
type Row = { readonly startMs: number; readonly reports: number; readonly encoded: string };

/** Telemetry of minutes and hours, a row each, and how far it goes. */
export class LocalRollUps {
  readonly #parts: Parts;
  readonly #statements: Readonly<Record<'keep' | 'select' | 'purge' | 'state' | 'mark' | 'begin', StatementSync>>;

  constructor(parts: Parts) {
    this.#parts = parts;
    const { database } = parts;
    this.#statements = {
      keep: database.prepare(
        `INSERT INTO telemetry_roll_up (span, model, version, start_ms, reports, encoded) VALUES (?, ?, ?, ?, ?, ?)
         ON CONFLICT DO UPDATE SET reports = excluded.reports, encoded = excluded.encoded
         WHERE excluded.reports >= telemetry_roll_up.reports`,
      ),
      select: database.prepare(
        `SELECT start_ms AS startMs, reports, encoded FROM telemetry_roll_up
         WHERE span = ? AND model = ? AND version = ? AND start_ms >= ? AND start_ms < ?
         ORDER BY start_ms LIMIT ${AT_ONCE}`,
      ),
      purge: database.prepare('DELETE FROM telemetry_roll_up WHERE span = ? AND start_ms <= ?'),
      state: database.prepare(`SELECT name, value FROM region_state WHERE name LIKE 'rolled-%'`),
      mark: database.prepare(
        `INSERT INTO region_state (name, value) VALUES (?, ?) ON CONFLICT DO UPDATE SET value = max(value, excluded.value)`,
      ),
      begin: database.prepare('INSERT OR IGNORE INTO region_state (name, value) VALUES (?, ?)'),
    };
  }

  async keep(rollUps: readonly RollUp[]): Promise<void> {
    for (let at = 0; at < rollUps.length; at += AT_ONCE) {
      await this.#parts.turns.next();
      const some = rollUps.slice(at, at + AT_ONCE);
      const rows = some.map((rollUp) => ({ ...rollUp, encoded: encodeTelemetry(rollUp.telemetry) }));
      await this.#parts.commits.write(() => {
        for (const { span, model, version, startMs, reports, encoded } of rows)
          this.#statements.keep.run(span, model, version, startMs, reports, encoded);
      });
    }
  }

  async read(
    span: RollUpSpan,
    model: string,
    version: string,
    fromMs: number,
    untilMs: number,
  ): Promise<readonly RollUp[]> {
    const found: RollUp[] = [];
    // One that is as old as they are kept is as if forgotten.
    let atMs = Math.max(fromMs, this.#parts.clock.nowMs() - ROLL_UP_KEPT_MS[span] + 1);
    for (;;) {
      await this.#parts.turns.next();
      const rows = (await this.#parts.commits.read(() =>
        this.#statements.select.all(span, model, version, atMs, untilMs),
      )) as Row[];
      found.push(...rows.flatMap((row) => this.#decode(span, { model, version }, row) ?? []));
      if (rows.length < AT_ONCE) return found;
      atMs = rows.at(-1)!.startMs + 1;
    }
  }

  async rolledUntil(): Promise<RolledUntil | undefined> {
    const rows = (await this.#parts.commits.read(() => this.#statements.state.all())) as {
      readonly name: string;
      readonly value: number;
    }[];
    const state = Object.fromEntries(rows.map(({ name, value }) => [name, value]));
    if (state['rolled-since'] === undefined) return undefined;
    return {
      sinceMs: state['rolled-since'],
      minutesMs: state['rolled-minutes']!,
      settledMs: state['rolled-settled']!,
      hoursMs: state['rolled-hours']!,
    };
  }

  async mark({ sinceMs, minutesMs, settledMs, hoursMs }: RolledUntil): Promise<void> {
    await this.#parts.commits.write(() => {
      this.#statements.begin.run('rolled-since', sinceMs);
      this.#statements.mark.run('rolled-minutes', minutesMs);
      this.#statements.mark.run('rolled-settled', settledMs);
      this.#statements.mark.run('rolled-hours', hoursMs);
    });
  }

  /** Inside a write. */
  purge(nowMs: number): void {
    for (const span of SPANS) this.#statements.purge.run(span, nowMs - ROLL_UP_KEPT_MS[span]);
  }

  #decode(
    span: RollUpSpan,
    name: Pick<RollUp, 'model' | 'version'>,
    { startMs, reports, encoded }: Row,
  ): RollUp | undefined {
    try {
      return { ...name, span, startMs, reports, telemetry: decodeTelemetry(encoded) };
    } catch (error) {
      const version = `${name.model}@${name.version}`;
      this.#parts.log.error('rolled-up telemetry cannot be read: left out', error, { version, span, startMs });
      return undefined;
    }
  }
}
