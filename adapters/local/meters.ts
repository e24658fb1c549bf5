import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { decodeMeter, decodeTenantUses, encodeMeter, encodeTenantUses } from '../../core/cost/meter-codec.ts';
import { firstKeptDay } from '../../core/cost/meter-days.ts';
import type { Clock } from '../../core/ports/clock.ts';
import type { Log } from '../../core/ports/log.ts';
import type { MeterRecord, Meters, SummedDays, TenantDay } from '../../core/ports/meters.ts';
import type { Commits } from './group-commit.ts';

type Parts = { readonly database: DatabaseSync; readonly commits: Commits; readonly clock: Clock; readonly log: Log };
type Row = { readonly writer: string; readonly part: number; readonly encoded: string };

/** Others have their turn between. */
const PUT_AT_ONCE = 200;

type Sum = 'putTenant' | 'selectTenant' | 'purgeTenants' | 'selectSummed' | 'putSummed';
type TenantRow = { readonly day: number; readonly encoded: string };

/** A row a record, which its later totals replace. */
export class LocalMeters implements Meters {
  readonly #parts: Parts;
  readonly #statements: Readonly<Record<'put' | 'select' | 'purge' | Sum, StatementSync>>;

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
      putTenant: database.prepare('INSERT OR REPLACE INTO tenant_day (tenant, day, encoded) VALUES (?, ?, ?)'),
      selectTenant: database.prepare(
        'SELECT day, encoded FROM tenant_day WHERE tenant = ? AND day >= ? AND day < ? ORDER BY day',
      ),
      purgeTenants: database.prepare('DELETE FROM tenant_day WHERE day < ?'),
      selectSummed: database.prepare('SELECT since, until FROM meter_summed'),
      putSummed: database.prepare(
        `INSERT INTO meter_summed (id, since, until) VALUES (1, ?, ?)
         ON CONFLICT DO UPDATE SET until = max(until, excluded.until)`,
      ),
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

  async keepTenantDays(days: readonly TenantDay[]): Promise<void> {
    const rows = days.map(({ tenant, day, uses }) => ({ tenant, day, encoded: encodeTenantUses(uses) }));
    for (let at = 0; at < rows.length; at += PUT_AT_ONCE) {
      await this.#parts.commits.write(() => {
        for (const { tenant, day, encoded } of rows.slice(at, at + PUT_AT_ONCE))
          this.#statements.putTenant.run(tenant, day, encoded);
      });
    }
  }

  async readTenantDays(tenant: string, from: number, until: number): Promise<readonly TenantDay[]> {
    const { commits, clock, log } = this.#parts;
    const first = Math.max(from, firstKeptDay(clock.nowMs()));
    const rows = await commits.read(() => this.#statements.selectTenant.all(tenant, first, until) as TenantRow[]);
    return rows.flatMap(({ day, encoded }) => {
      try {
        return [{ tenant, day, uses: decodeTenantUses(encoded) }];
      } catch (error) {
        log.error("a tenant's day cannot be read: left out", error, { tenant, day });
        return [];
      }
    });
  }

  readSummed(): Promise<SummedDays | undefined> {
    return this.#parts.commits.read(() => {
      const row = this.#statements.selectSummed.get() as SummedDays | undefined;
      return row && { since: row.since, until: row.until };
    });
  }

  async markSummed({ since, until }: SummedDays): Promise<void> {
    await this.#parts.commits.write(() => this.#statements.putSummed.run(since, until));
  }

  async purge(nowMs: number): Promise<number> {
    const first = firstKeptDay(nowMs);
    return this.#parts.commits.write(() => {
      this.#statements.purgeTenants.run(first);
      return Number(this.#statements.purge.run(first).changes);
    });
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
