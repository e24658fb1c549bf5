import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { decodeMeter, encodeMeter } from '../../core/cost/meter-codec.ts';
import { firstKeptDay } from '../../core/cost/meter-days.ts';
import type { Clock } from '../../core/ports/clock.ts';
import type { Log } from '../../core/ports/log.ts';
import type { MeterRecord, Meters } from '../../core/ports/meters.ts';
import type { Commits } from './group-commit.ts';

type Parts = { readonly database: DatabaseSync; readonly commits: Commits; readonly clock: Clock; readonly log: Log };
type Row = { readonly writer: string; readonly part: number; readonly encoded: string };

/** A row a record, which its later totals replace. */
export class LocalMeters implements Meters {
  readonly #parts: Parts;
  readonly #statements: Readonly<Record<'put' | 'select' | 'purge', StatementSync>>;

  constructor(parts: Parts) {
    this.#parts = parts;
    const { database } = parts;
    this.#statements = {
      put: database.prepare(
        `INSERT INTO meter (day, writer, part, up_ms, encoded) VALUES (?, ?, ?, ?, ?)
         ON CONFLICT DO UPDATE SET up_ms = excluded.up_ms, encoded = excluded.encoded WHERE excluded.up_ms >= up_ms`,
      ),
      select: database.prepare('SELECT writer, part, encoded FROM meter WHERE day = ?'),
      purge: database.prepare('DELETE FROM meter WHERE day < ?'),
    };
  }

  async save(record: MeterRecord): Promise<void> {
    const { day, writer, part, worker } = record;
    const encoded = encodeMeter(record);
    await this.#parts.commits.write(() => this.#statements.put.run(day, writer, part, worker.upMs, encoded));
  }

  async read(day: number): Promise<readonly MeterRecord[]> {
    const { commits, clock } = this.#parts;
    if (day < firstKeptDay(clock.nowMs())) return [];
    const rows = await commits.read(() => this.#statements.select.all(day) as Row[]);
    return rows.flatMap((row) => this.#decode(day, row) ?? []);
  }

  async purge(nowMs: number): Promise<number> {
    return Number(await this.#parts.commits.write(() => this.#statements.purge.run(firstKeptDay(nowMs)).changes));
  }

  #decode(day: number, { writer, part, encoded }: Row): MeterRecord | undefined {
    try {
      return decodeMeter(encoded);
    } catch (error) {
      this.#parts.log.error('a meter record cannot be read: left out', error, { day, writer, part });
      return undefined;
    }
  }
}
