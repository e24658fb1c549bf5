import { DescribeServicesCommand, type ECSClient, UpdateServiceCommand } from '@aws-sdk/client-ecs';
import { z } from 'zod';
import type { Log } from '../../core/ports/log.ts';
import type { Wake } from '../../core/ports/wake.ts';
import { MINUTE_MS, SECOND_MS } from '../../core/units.ts';
import { serviceName } from './environment.ts';
import { wakeKey } from './keys.ts';
import { metricLine } from './metric-line.ts';
import { parseItem } from './parse-item.ts';
import type { Table } from './table.ts';

/** Starts asked for, of a pool in its region. */
const ASK_EVERY_MS = MINUTE_MS;
/** A process looks at most this often: a thousand of them at once are 200 writes a second, of the 1,000 that an item takes. */
const LOOK_EVERY_MS = 5 * SECOND_MS;
const LOOK_AGAIN_MS = SECOND_MS;
/** Of a process and pool: the metric says that there were some, and about how many. */
const TELL_EVERY_MS = SECOND_MS;
/** Before a start was measured: an instance with the image on it, its models fetched in parallel, takes 1.5 to 2.5 minutes. */
const DEFAULT_START_MS = 2.5 * MINUTE_MS;
const LEAST_MS = SECOND_MS;
const MOST_MS = 10 * MINUTE_MS;
/** Starts that are remembered: the median of five leaves two exceptions out. */
const REMEMBERED = 5;
/** What took longer was no start but a lack of instances. */
const LONGEST_START_MS = 30 * MINUTE_MS;

const itemSchema = z.strictObject({
  pk: z.string(),
  sk: z.string(),
  askAgainAtMs: z.number(),
  /** When the start under way was asked for. */
  askedAtMs: z.number().optional(),
  /** What the last starts took, the latest last. */
  tookMs: z.array(z.number()).default([]),
});
type WakeItem = z.output<typeof itemSchema>;

type Parts = {
  readonly client: ECSClient;
  /** The control table. */
  readonly table: Table;
  /** '' where the cluster itself starts workers for what waits in the queues: then nobody is asked. */
  readonly cluster: string;
  readonly deployment: string;
  /** As customers know it. */
  readonly region: string;
  readonly log: Log;
  /** Takes metric lines, by whose alarm scaling starts a pool where this does not; undefined: nobody does. */
  readonly write?: ((line: string) => void) | undefined;
  /** One minute unless told otherwise. */
  readonly askEveryMs?: number | undefined;
};

type Told = { asked: number; nextAtMs: number };
type Known = { readonly item: WakeItem | undefined; readonly freshUntilMs: number };

/**
 * Starts the first task of a pool's ECS service: the rest is its scaling's. Who asks is decided by one conditional write, for
 * all processes of the region; a service that wants tasks already is left as it is.
 */
export class EcsWake implements Wake {
  readonly startsWorkers = true;
  readonly #parts: Parts;
  readonly #askEveryMs: number;
  readonly #known = new Map<string, Known>();
  readonly #asking = new Map<string, Promise<number>>();
  readonly #told = new Map<string, Told>();

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#askEveryMs = parts.askEveryMs ?? ASK_EVERY_MS;
  }

  wake(pool: string, nowMs: number): number | Promise<number> {
    this.#tell(pool, nowMs);
    const known = this.#known.get(pool);
    if (known !== undefined && nowMs < known.freshUntilMs) return estimate(known.item, nowMs);
    let asking = this.#asking.get(pool);
    if (asking === undefined) {
      asking = this.#ask(pool, nowMs).finally(() => this.#asking.delete(pool));
      this.#asking.set(pool, asking);
    }
    return asking;
  }

  async started(pool: string, nowMs: number): Promise<void> {
    const { table, log } = this.#parts;
    try {
      const found = await table.get(wakeKey(pool));
      const { askedAtMs, tookMs } = found === undefined ? { tookMs: [] } : parseItem(itemSchema, found);
      if (askedAtMs === undefined) return;
      const took = Math.max(0, nowMs - askedAtMs);
      const remembered = took > LONGEST_START_MS ? tookMs : [...tookMs, took].slice(-REMEMBERED);
      await table.change(wakeKey(pool), {
        text: 'SET tookMs = :took REMOVE askedAtMs',
        // Of several workers that start at once, the first one tells.
        condition: 'askedAtMs = :asked',
        values: { ':took': remembered, ':asked': askedAtMs },
        returned: 'NONE',
      });
      log.info('pool started', { pool, ms: Math.round(took) });
    } catch (error) {
      log.error('the start of a pool was not noted', error, { pool });
    }
  }

  #tell(pool: string, nowMs: number): void {
    const { deployment, region, write } = this.#parts;
    if (write === undefined) return;
    const told = this.#told.get(pool) ?? { asked: 0, nextAtMs: 0 };
    this.#told.set(pool, told);
    told.asked += 1;
    if (nowMs < told.nextAtMs) return;
    write(metricLine({ deployment, region, pool }, 'ColdSubmits', told.asked, nowMs));
    told.asked = 0;
    told.nextAtMs = nowMs + TELL_EVERY_MS;
  }

  async #ask(pool: string, nowMs: number): Promise<number> {
    try {
      const asked = await this.#parts.table.change(wakeKey(pool), {
        text: 'SET askAgainAtMs = :again',
        condition: 'attribute_not_exists(pk) OR askAgainAtMs <= :now',
        values: { ':again': nowMs + this.#askEveryMs, ':now': nowMs },
      });
      let item = asked.item === undefined ? undefined : parseItem(itemSchema, asked.item);
      if (asked.written && item !== undefined && (await this.#start(pool, nowMs))) item = { ...item, askedAtMs: nowMs };
      const freshUntilMs = Math.min(nowMs + LOOK_EVERY_MS, item?.askAgainAtMs ?? nowMs);
      this.#known.set(pool, { item, freshUntilMs });
      return estimate(item, nowMs);
    } catch (error) {
      this.#parts.log.error('a pool without workers was not woken', error, { pool });
      this.#known.set(pool, { item: undefined, freshUntilMs: nowMs + LOOK_AGAIN_MS });
      return estimate(undefined, nowMs);
    }
  }

  /** True if a task was asked for, which is noted down. */
  async #start(pool: string, nowMs: number): Promise<boolean> {
    const { client, cluster, deployment, log } = this.#parts;
    if (cluster === '') return this.#note(pool, nowMs, 'attribute_not_exists(askedAtMs)');
    const service = serviceName(deployment, pool);
    try {
      const { services } = await client.send(new DescribeServicesCommand({ cluster, services: [service] }));
      const found = services?.find(({ status }) => status === 'ACTIVE');
      if (found === undefined) throw new Error('a pool has no service');
      if ((found.desiredCount ?? 0) > 0) return false;
      await client.send(new UpdateServiceCommand({ cluster, service, desiredCount: 1 }));
    } catch (error) {
      log.error('a pool without workers was not woken', error, { pool });
      return false;
    }
    log.info('pool woken', { pool });
    return this.#note(pool, nowMs);
  }

  async #note(pool: string, nowMs: number, condition?: string): Promise<boolean> {
    const { written } = await this.#parts.table.change(wakeKey(pool), {
      text: 'SET askedAtMs = :asked',
      values: { ':asked': nowMs },
      returned: 'NONE',
      ...(condition !== undefined && { condition }),
    });
    return written;
  }
}

/** What is left of a start that takes as long as the last ones; one that is late may take a tenth more than it has. */
function estimate(item: WakeItem | undefined, nowMs: number): number {
  const sorted = [...(item?.tookMs ?? [])].sort((a, b) => a - b);
  const startMs = sorted[Math.floor(sorted.length / 2)] ?? DEFAULT_START_MS;
  const sinceMs = item?.askedAtMs === undefined ? 0 : Math.max(0, nowMs - item.askedAtMs);
  return Math.min(Math.max(startMs - sinceMs, sinceMs / 10, LEAST_MS), MOST_MS);
}
