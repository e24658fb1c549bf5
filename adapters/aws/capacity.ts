import { z } from 'zod';
import { FreshCache } from '../../core/fresh-cache.ts';
import { hasWorkers } from '../../core/inference/admit.ts';
import type { Capacity, CapacityReport } from '../../core/ports/capacity.ts';
import { MINUTE_MS, SECOND_MS } from '../../core/units.ts';
import { heartbeatKey, heartbeatPartition, type Key } from './keys.ts';
import { parseItem } from './parse-item.ts';
import type { Table } from './table.ts';

/** Reports older than this are as if they were not there. */
const FRESH_MS = 10 * SECOND_MS;
/**
 * Workers report whatever changes ten times a second; written is one report a second, which a reader of heartbeats cannot
 * tell from ten: jobs wait for about as long. A busy worker's month is 2.6 million writes of up to 1 KB at $0.625 a million,
 * $1.64 (ten a second would be $16.43); an idle one reports every 2.5 s, $0.66.
 */
const WRITE_EVERY_MS = SECOND_MS;
/** Deleted by the table some time after nobody reads them any more, which may be days. */
const KEPT_S = 3600;
/**
 * Reports of workers that are gone, which every read of the pool pays for until then: a worker that starts deletes them, so that
 * those of tasks that start and die over and over do not pile up. One that lives, and was silent for so long, reports again.
 */
const GONE_MS = MINUTE_MS;
const MOST_FORGOTTEN = 500;
const MOST_POOLS = 100;

const reportSchema = z.strictObject({
  worker: z.string(),
  pool: z.string(),
  atMs: z.number(),
  runners: z.number(),
  backlogMs: z.number(),
  rowMs: z.record(z.string(), z.number()),
  loaded: z.array(z.string()),
  warm: z.record(z.string(), z.number()).optional(),
  breakers: z.record(
    z.string(),
    z.strictObject({
      state: z.enum(['open', 'half-open', 'closed']),
      untilMs: z.number(),
      tenant: z.string().optional(),
    }),
  ),
  draining: z.boolean(),
  busy: z.number().optional(),
  usage: z
    .strictObject({
      memoryBytes: z.number(),
      cpuShare: z.number().optional(),
      gpu: z.strictObject({ busyShare: z.number(), memoryBytes: z.number(), totalBytes: z.number() }).optional(),
    })
    .transform(({ memoryBytes, cpuShare, gpu }) => ({ memoryBytes, cpuShare, gpu }))
    .optional(),
  startedAtMs: z.number().optional(),
});
const itemSchema = z.strictObject({
  pk: z.string(),
  sk: z.string(),
  atMs: z.number(),
  report: reportSchema,
  ttl: z.number(),
});

/** What a gateway must know at once, and what was written of it last. */
type Written = { readonly atMs: number; readonly urgent: string };

/**
 * Heartbeats of workers, one item each; a pool's are read with one query. A report within a second of the last one that was
 * written is left out, as a newer one follows, in 2.5 s at the most; that a worker drains, or that a breaker opens or closes,
 * is written at once.
 */
export class AwsCapacity implements Capacity {
  readonly #table: Table;
  readonly #written = new Map<string, Written>();
  readonly #read: FreshCache<readonly CapacityReport[]>;

  /** `readAgeMs`: how old what is read of a pool that has workers may be; default: it is read each time. */
  constructor(table: Table, readAgeMs = 0) {
    this.#table = table;
    this.#read = new FreshCache(readAgeMs, MOST_POOLS);
  }

  async report(report: CapacityReport): Promise<void> {
    const name = `${report.pool}/${report.worker}`;
    const urgent = urgentOf(report);
    const written = this.#written.get(name);
    if (written?.urgent === urgent && report.atMs - written.atMs < WRITE_EVERY_MS) return;
    this.#written.set(name, { atMs: report.atMs, urgent });
    const ttl = Math.ceil(report.atMs / SECOND_MS) + KEPT_S;
    const item = { ...heartbeatKey(report.pool, report.worker), atMs: report.atMs, report, ttl };
    try {
      await this.#table.put(item, { text: 'attribute_not_exists(pk) OR atMs <= :at', values: { ':at': report.atMs } });
    } catch (error) {
      // The next one is written, whatever has changed.
      this.#written.delete(name);
      throw error;
    }
    // It is no matter if that fails: the table deletes them in the end.
    if (written === undefined) await this.#forgetGone(report.pool, report.atMs - GONE_MS).catch(() => {});
  }

  async read(pool: string, nowMs: number): Promise<readonly CapacityReport[]> {
    const read = await this.#read.get(pool, nowMs, () => this.#readAll(pool));
    const reports = read.filter(({ atMs }) => nowMs - atMs <= FRESH_MS);
    // Whether a pool without workers has one is looked for each time.
    if (!hasWorkers(reports)) this.#read.delete(pool);
    return reports;
  }

  async #readAll(pool: string): Promise<readonly CapacityReport[]> {
    const items = await Array.fromAsync(this.#table.query(heartbeatPartition(pool)));
    return items.map((item) => parseItem(itemSchema, item).report);
  }

  async #forgetGone(pool: string, beforeMs: number): Promise<void> {
    const gone: Key[] = [];
    for await (const { sk, atMs } of this.#table.query(heartbeatPartition(pool))) {
      if (Number(atMs) < beforeMs) gone.push(heartbeatKey(pool, String(sk)));
      if (gone.length === MOST_FORGOTTEN) break;
    }
    await this.#table.deleteMany(gone);
  }
}

function urgentOf({ draining, breakers }: CapacityReport): string {
  const failing = Object.entries(breakers).filter(([, { state }]) => state !== 'closed');
  return JSON.stringify([draining, failing.map(([version, { state, tenant }]) => [version, state, tenant]).sort()]);
}
