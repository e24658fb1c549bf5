import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { Clock } from '../../core/ports/clock.ts';
import type { Log } from '../../core/ports/log.ts';
import {
  QUALITY_STATE_KEPT_DAYS,
  QUALITY_WINDOW_KEPT_DAYS,
  type QualityReports,
} from '../../core/ports/quality-reports.ts';
import {
  type JudgedWindow,
  judgedWindowSchema,
  type QualityState,
  type QualitySummary,
  qualityStateSchema,
  qualitySummarySchema,
  readRecord,
  summaryOf,
  writeRecord,
} from '../../core/quality/drift/quality-record.ts';
import { type Reference, readReference, writeReference } from '../../core/quality/drift/reference.ts';
import { orLeftOut } from '../../core/release/release-record.ts';
import { DAY_MS } from '../../core/units.ts';
import type { Commits } from './group-commit.ts';

type Parts = { readonly database: DatabaseSync; readonly commits: Commits; readonly clock: Clock; readonly log: Log };
type Row = { readonly name: string; readonly record: string };

/** A row a version, one a judged window, and one a reference. */
export class LocalQualityReports implements QualityReports {
  readonly #parts: Parts;
  readonly #statements: Readonly<
    Record<
      | 'state'
      | 'epoch'
      | 'setState'
      | 'summaries'
      | 'addWindow'
      | 'windows'
      | 'reference'
      | 'setReference'
      | 'purgeWindows'
      | 'purgeStates',
      StatementSync
    >
  >;

  constructor(parts: Parts) {
    this.#parts = parts;
    const prepare = (sql: string) => parts.database.prepare(sql);
    this.#statements = {
      state: prepare('SELECT record FROM quality_state WHERE model = ? AND version = ? AND checked_at_ms > ?'),
      epoch: prepare('SELECT epoch FROM quality_state WHERE model = ? AND version = ? AND checked_at_ms > ?'),
      setState: prepare(
        `INSERT OR REPLACE INTO quality_state (model, version, epoch, checked_at_ms, summary, record) VALUES (?, ?, ?, ?, ?, ?)`,
      ),
      summaries: prepare(
        `SELECT model || '@' || version AS name, summary AS record FROM quality_state WHERE checked_at_ms > ?`,
      ),
      addWindow: prepare(
        'INSERT OR REPLACE INTO quality_window (model, version, until_ms, record) VALUES (?, ?, ?, ?)',
      ),
      windows: prepare(
        `SELECT model || '@' || version AS name, record FROM quality_window
         WHERE model = ? AND version = ? AND until_ms > ? ORDER BY until_ms DESC LIMIT ?`,
      ),
      reference: prepare('SELECT record FROM quality_reference WHERE model = ? AND version = ?'),
      setReference: prepare('INSERT OR REPLACE INTO quality_reference (model, version, record) VALUES (?, ?, ?)'),
      purgeWindows: prepare('DELETE FROM quality_window WHERE until_ms <= ?'),
      purgeStates: prepare('DELETE FROM quality_state WHERE checked_at_ms <= ?'),
    };
  }

  async readState(model: string, version: string): Promise<QualityState | undefined> {
    const found = await this.#parts.commits.read(() => this.#statements.state.get(model, version, this.#forgottenMs()));
    const row = found as Pick<Row, 'record'> | undefined;
    return row && readRecord(qualityStateSchema, `quality of ${model}@${version}`, row.record);
  }

  async writeState(state: QualityState, judged: readonly JudgedWindow[]): Promise<boolean> {
    const { model, version, epoch, checkedAtMs } = state;
    const record = writeRecord(qualityStateSchema, state);
    const summary = writeRecord(qualitySummarySchema, summaryOf(state));
    const windows = judged.map((window) => [window.untilMs, writeRecord(judgedWindowSchema, window)] as const);
    return this.#parts.commits.write(() => {
      const row = this.#statements.epoch.get(model, version, this.#forgottenMs()) as { epoch: number } | undefined;
      if ((row?.epoch ?? 0) !== epoch - 1) return false;
      this.#statements.setState.run(model, version, epoch, checkedAtMs, summary, record);
      for (const [untilMs, window] of windows) this.#statements.addWindow.run(model, version, untilMs, window);
      return true;
    });
  }

  async listSummaries(): Promise<readonly QualitySummary[]> {
    const rows = await this.#parts.commits.read(() => this.#statements.summaries.all(this.#forgottenMs()) as Row[]);
    return rows.flatMap(({ name, record }) =>
      orLeftOut(this.#parts.log, () => readRecord(qualitySummarySchema, `quality of ${name}`, record), name),
    );
  }

  async listWindows(model: string, version: string, limit: number): Promise<readonly JudgedWindow[]> {
    const afterMs = this.#parts.clock.nowMs() - QUALITY_WINDOW_KEPT_DAYS * DAY_MS;
    const rows = await this.#parts.commits.read(
      () => this.#statements.windows.all(model, version, afterMs, limit) as Row[],
    );
    return rows.flatMap(({ name, record }) =>
      orLeftOut(this.#parts.log, () => readRecord(judgedWindowSchema, `window of ${name}`, record), name),
    );
  }

  async readReference(model: string, version: string): Promise<Reference | undefined> {
    const found = await this.#parts.commits.read(() => this.#statements.reference.get(model, version));
    const row = found as Pick<Row, 'record'> | undefined;
    return row && readReference(`${model}@${version}`, row.record);
  }

  async writeReference(model: string, version: string, reference: Reference): Promise<void> {
    const record = writeReference(reference);
    await this.#parts.commits.write(() => this.#statements.setReference.run(model, version, record));
  }

  async purge(nowMs: number): Promise<number> {
    const stateMs = nowMs - QUALITY_STATE_KEPT_DAYS * DAY_MS;
    return this.#parts.commits.write(() => {
      const { purgeWindows, purgeStates } = this.#statements;
      const windows = Number(purgeWindows.run(nowMs - QUALITY_WINDOW_KEPT_DAYS * DAY_MS).changes);
      return windows + Number(purgeStates.run(stateMs).changes);
    });
  }

  #forgottenMs(): number {
    return this.#parts.clock.nowMs() - QUALITY_STATE_KEPT_DAYS * DAY_MS;
  }
}
