import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { Failure } from '../../core/failure.ts';
import { type ValidationRecord, validationRecordSchema } from '../../core/models/validation-record.ts';
import type { Log } from '../../core/ports/log.ts';
import type { Validations } from '../../core/ports/validations.ts';
import type { Commits } from './group-commit.ts';

type Row = { readonly id: string; readonly record: string };
type Parts = { readonly database: DatabaseSync; readonly commits: Commits; readonly log: Log };

/** Validations in a region's database. A region has one process, so a lease ends with the process that held it. */
export class LocalValidations implements Validations {
  readonly #commits: Commits;
  readonly #log: Log;
  readonly #statements: Record<
    'insert' | 'openOf' | 'select' | 'waiting' | 'setAside' | 'replace' | 'recent' | 'expired' | 'purge',
    StatementSync
  >;

  constructor({ database, commits, log }: Parts) {
    this.#commits = commits;
    this.#log = log;
    const prepare = (sql: string) => database.prepare(sql);
    this.#statements = {
      insert: prepare(
        `INSERT INTO validation (id, model, digest, epoch, is_open, lease_until_ms, expires_at_ms, record)
         VALUES (?, ?, ?, ?, 1, 0, ?, ?)`,
      ),
      openOf: prepare('SELECT id, record FROM validation WHERE model = ? AND digest = ? AND is_open = 1'),
      select: prepare('SELECT id, record FROM validation WHERE id = ?'),
      waiting: prepare(
        'SELECT id, record FROM validation WHERE is_open = 1 AND lease_until_ms <= ? ORDER BY seq LIMIT 1',
      ),
      setAside: prepare('UPDATE validation SET is_open = 0 WHERE id = ?'),
      replace: prepare(
        `UPDATE validation SET epoch = ?, is_open = ?, lease_until_ms = ?, expires_at_ms = ?, record = ?
         WHERE id = ? AND epoch = ?`,
      ),
      recent: prepare('SELECT id, record FROM validation WHERE model = ? ORDER BY seq DESC LIMIT ?'),
      expired: prepare('SELECT 1 FROM validation WHERE expires_at_ms <= ? LIMIT 1'),
      purge: prepare('DELETE FROM validation WHERE expires_at_ms <= ?'),
    };
    database.exec('UPDATE validation SET lease_until_ms = 0 WHERE is_open = 1');
  }

  add(record: ValidationRecord): Promise<ValidationRecord> {
    const { id, model, digest, epoch, expiresAtMs } = record;
    return this.#commits.write(() => {
      const row = this.#statements.openOf.get(model, digest) as Row | undefined;
      const inProgress = row === undefined ? undefined : this.#readable(row);
      if (inProgress !== undefined) return inProgress;
      this.#statements.insert.run(id, model, digest, epoch, expiresAtMs, write(record));
      return record;
    });
  }

  read(id: string): Promise<ValidationRecord | undefined> {
    return this.#commits.read(() => {
      const row = this.#statements.select.get(id) as Row | undefined;
      return row === undefined ? undefined : parse(row);
    });
  }

  async take(nowMs: number, leaseUntilMs: number): Promise<ValidationRecord | undefined> {
    const waiting = () => this.#statements.waiting.get(nowMs) as Row | undefined;
    // Asked every few seconds: without work there is nothing to commit.
    if ((await this.#commits.read(waiting)) === undefined) return undefined;
    return this.#commits.write(() => {
      for (let row = waiting(); row !== undefined; row = waiting()) {
        const record = this.#readable(row);
        if (record === undefined) continue;
        const attempts = record.state.kind === 'running' ? record.state.attempts + 1 : 1;
        const state = { kind: 'running', leaseUntilMs, attempts } as const;
        const taken = { ...record, state, epoch: record.epoch + 1 };
        this.#replace(taken, record.epoch);
        return taken;
      }
      return undefined;
    });
  }

  update(record: ValidationRecord): Promise<boolean> {
    return this.#commits.write(() => this.#replace(record, record.epoch));
  }

  async list(model: string, limit: number): Promise<readonly ValidationRecord[]> {
    const rows = await this.#commits.read(() => this.#statements.recent.all(model, limit) as Row[]);
    return rows.flatMap((row) => {
      try {
        return [parse(row)];
      } catch (error) {
        this.#log.error('a record is left out of a list', error, { table: 'validation', id: row.id });
        return [];
      }
    });
  }

  async purge(nowMs: number): Promise<number> {
    if ((await this.#commits.read(() => this.#statements.expired.get(nowMs))) === undefined) return 0;
    return this.#commits.write(() => Number(this.#statements.purge.run(nowMs).changes));
  }

  /** Inside a write. */
  #replace(record: ValidationRecord, epoch: number): boolean {
    const { id, state, expiresAtMs } = record;
    const isOpen = state.kind === 'queued' || state.kind === 'running' ? 1 : 0;
    const leaseUntilMs = state.kind === 'running' ? state.leaseUntilMs : 0;
    const values = [record.epoch, isOpen, leaseUntilMs, expiresAtMs, write(record), id, epoch];
    return this.#statements.replace.run(...values).changes > 0;
  }

  /** Inside a write: a record that cannot be read is set aside, so that it holds up no other. */
  #readable(row: Row): ValidationRecord | undefined {
    try {
      return parse(row);
    } catch (error) {
      this.#log.error('a validation is set aside', error, { id: row.id });
      this.#statements.setAside.run(row.id);
      return undefined;
    }
  }
}

function write(record: ValidationRecord): string {
  return JSON.stringify(validationRecordSchema.parse(record));
}

function parse({ id, record }: Row): ValidationRecord {
  try {
    return validationRecordSchema.parse(JSON.parse(record));
  } catch (cause) {
    throw new Failure('record-damaged', { detail: `validation ${id}` }, { cause });
  }
}
