import type { Capacity, CapacityReport } from '../../core/ports/capacity.ts';
import { SECOND_MS } from '../../core/units.ts';

const MAX_AGE_MS = 10 * SECOND_MS;

/** The last report of each worker, in memory: a restart begins with none, as its workers do. */
export class LocalCapacity implements Capacity {
  readonly #pools = new Map<string, Map<string, CapacityReport>>();

  async report(report: CapacityReport): Promise<void> {
    let pool = this.#pools.get(report.pool);
    if (pool === undefined) {
      pool = new Map();
      this.#pools.set(report.pool, pool);
    }
    const known = pool.get(report.worker);
    if (known === undefined || known.atMs <= report.atMs) pool.set(report.worker, report);
  }

  async read(pool: string, nowMs: number): Promise<readonly CapacityReport[]> {
    const reports = this.#pools.get(pool);
    if (reports === undefined) return [];
    for (const { worker, atMs } of reports.values()) if (atMs + MAX_AGE_MS < nowMs) reports.delete(worker);
    return [...reports.values()];
  }
}
