import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { StoredCompute } from './compute-budget.ts';

/** The statements on `rate` and `compute`, and the open jobs whose places outlast a restart. */
export class LimitRows {
  readonly #rate: StatementSync;
  readonly #putRate: StatementSync;
  readonly #compute: StatementSync;
  readonly #putCompute: StatementSync;
  readonly #openJobs: StatementSync;
  readonly #eraseRates: StatementSync;
  readonly #eraseCompute: StatementSync;

  constructor(database: DatabaseSync) {
    const prepare = (sql: string) => database.prepare(sql);
    this.#rate = prepare('SELECT bound_ms AS boundMs FROM rate WHERE tenant = ? AND meter = ?');
    this.#putRate = prepare('INSERT OR REPLACE INTO rate (tenant, meter, bound_ms) VALUES (?, ?, ?)');
    this.#compute = prepare('SELECT day_start_ms AS dayStartMs, charged_ms AS chargedMs FROM compute WHERE tenant = ?');
    this.#putCompute = prepare('INSERT OR REPLACE INTO compute (tenant, day_start_ms, charged_ms) VALUES (?, ?, ?)');
    this.#openJobs = prepare("SELECT id, deadline_ms AS deadlineMs FROM job WHERE tenant = ? AND state <> 'ended'");
    this.#eraseRates = prepare('DELETE FROM rate WHERE tenant = ?');
    this.#eraseCompute = prepare('DELETE FROM compute WHERE tenant = ?');
  }

  /** 0 if there is none. */
  rateBoundMs(tenant: string, meter: string): number {
    return (this.#rate.get(tenant, meter) as { boundMs: number } | undefined)?.boundMs ?? 0;
  }

  putRate(tenant: string, meter: string, boundMs: number): void {
    this.#putRate.run(tenant, meter, boundMs);
  }

  compute(tenant: string): StoredCompute {
    return (this.#compute.get(tenant) as StoredCompute | undefined) ?? { dayStartMs: 0, chargedMs: 0 };
  }

  putCompute(tenant: string, { dayStartMs, chargedMs }: StoredCompute): void {
    this.#putCompute.run(tenant, dayStartMs, chargedMs);
  }

  openJobs(tenant: string): { id: string; deadlineMs: number }[] {
    return this.#openJobs.all(tenant) as { id: string; deadlineMs: number }[];
  }

  erase(tenant: string): void {
    this.#eraseRates.run(tenant);
    this.#eraseCompute.run(tenant);
  }
}
