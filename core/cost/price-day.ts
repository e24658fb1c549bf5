import type { MeteredUse, MeteredWorker, MeterRecord } from '../ports/meters.ts';
import { HOUR_MS } from '../units.ts';
import { allocate } from './allocate.ts';

/** Money is counted in whole billionths of a dollar, which add up to the same in every order: a runner of 5 cents an hour costs 14 a millisecond. */
export const NANO_USD = 1e-9;

/** What a tenant's use of a version on one worker in one day costs. */
export type PricedUse = MeteredUse & { readonly day: number; readonly pool: string; readonly nanoUsd: number };

/** What a worker cost in one day, whoever used it. */
export type PricedWorker = Omit<MeteredWorker, 'usdPerHour'> & {
  readonly day: number;
  readonly nanoUsd: number;
  /** Of that, what nobody pays: idle, loading models, work that was done twice. */
  readonly idleNanoUsd: number;
};

export type PricedDay = { readonly uses: readonly PricedUse[]; readonly workers: readonly PricedWorker[] };

/**
 * Shares out what the workers of a day cost. A runner's millisecond has the same price for everybody on a worker: the worker's hour over its
 * runners, so that a tenant's cost does not hang on who else was there. What no tenant used is idle. Uses and idle of a worker add up to what
 * it cost, exactly. Where more was computed than the worker had time for (what began before midnight and ended after), it is shared out
 * by compute and nothing is idle.
 */
export function priceDay(records: readonly MeterRecord[]): PricedDay {
  const uses: PricedUse[] = [];
  const workers: PricedWorker[] = [];
  for (const { day, worker, used } of writersOf(records)) {
    const { usdPerHour, ...rest } = worker;
    const nanoUsd = Math.round(((worker.upMs / HOUR_MS) * usdPerHour) / NANO_USD);
    const computeMs = used.reduce((sum, use) => sum + use.computeMs, 0);
    const idleMs = Math.max(0, worker.upMs * worker.runners - computeMs);
    const shares = allocate(nanoUsd, [...used.map((use) => use.computeMs), idleMs]);
    const idleNanoUsd = shares.pop()!;
    workers.push({ ...rest, day, nanoUsd, idleNanoUsd });
    for (const [at, use] of used.entries()) uses.push({ ...use, day, pool: worker.pool, nanoUsd: shares[at]! });
  }
  return { uses, workers };
}

type WriterDay = { readonly day: number; readonly worker: MeteredWorker; readonly used: readonly MeteredUse[] };

/** The parts of each writer's day together. */
function writersOf(records: readonly MeterRecord[]): readonly WriterDay[] {
  const writers = new Map<string, MeterRecord[]>();
  for (const record of records) {
    const key = `${record.day} ${record.writer}`;
    const parts = writers.get(key);
    if (parts === undefined) writers.set(key, [record]);
    else parts.push(record);
  }
  return [...writers.values()].map((parts) => {
    const { day, worker } = parts[0]!;
    const upMs = parts.reduce((sum, part) => sum + part.worker.upMs, 0);
    const busyMs = parts.reduce((sum, part) => sum + part.worker.busyMs, 0);
    return { day, worker: { ...worker, upMs, busyMs }, used: parts.flatMap(({ uses }) => uses) };
  });
}
