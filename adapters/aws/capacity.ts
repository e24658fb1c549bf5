import { z } from 'zod';
import type { Capacity, CapacityReport } from '../../core/ports/capacity.ts';
import { SECOND_MS } from '../../core/units.ts';
import { heartbeatKey, heartbeatPartition } from './keys.ts';
import { parseItem } from './parse-item.ts';
import type { Table } from './table.ts';

/** Reports older than this are as if they were not there. */
const FRESH_MS = 10 * SECOND_MS;
/** Deleted by the table some time after nobody reads them any more. */
const KEPT_S = 3600;

const reportSchema = z.strictObject({
  worker: z.string(),
  pool: z.string(),
  atMs: z.number(),
  runners: z.number(),
  backlogMs: z.number(),
  rowMs: z.record(z.string(), z.number()),
  loaded: z.array(z.string()),
  breakers: z.record(
    z.string(),
    z.strictObject({ state: z.enum(['open', 'half-open', 'closed']), untilMs: z.number() }),
  ),
  draining: z.boolean(),
});
const itemSchema = z.strictObject({
  pk: z.string(),
  sk: z.string(),
  atMs: z.number(),
  report: reportSchema,
  ttl: z.number(),
});

/** Heartbeats of workers, one item each; a pool's are read with one query. */
export class AwsCapacity implements Capacity {
  readonly #table: Table;

  constructor(table: Table) {
    this.#table = table;
  }

  async report(report: CapacityReport): Promise<void> {
    const ttl = Math.ceil(report.atMs / SECOND_MS) + KEPT_S;
    const item = { ...heartbeatKey(report.pool, report.worker), atMs: report.atMs, report, ttl };
    await this.#table.put(item, { text: 'attribute_not_exists(pk) OR atMs <= :at', values: { ':at': report.atMs } });
  }

  async read(pool: string, nowMs: number): Promise<readonly CapacityReport[]> {
    const reports: CapacityReport[] = [];
    for await (const item of this.#table.query(heartbeatPartition(pool))) {
      const { report } = parseItem(itemSchema, item);
      if (nowMs - report.atMs <= FRESH_MS) reports.push(report);
    }
    return reports;
  }
}
