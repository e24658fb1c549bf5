import type { Platform } from '../ports/platform.ts';
import { type Backlog, hasWorkers, type LoadShedder } from './admit.ts';
import type { Lane } from './job.ts';

export type PlaceHost = {
  readonly ports: Pick<Platform, 'config' | 'wake'>;
  readonly shedder: Pick<LoadShedder, 'backlogOf'>;
};

/** Where a job is sent. */
export type Placement = {
  readonly pool: string;
  /** What was read of that pool. */
  readonly backlog: Backlog;
  /** Milliseconds, about, until the pool has a worker; 0: it has one. */
  readonly startMs: number;
};

/**
 * The pool that a job is sent to, where `pool` is the one it belongs to: that one, or, while it has no worker, the one that
 * bridges it if that has. A pool without workers is woken in either case. Without a promise where workers report and that
 * was read a moment ago.
 *
 * A worker that dies after this was read leaves the job in the queue of a pool that nobody woke: the next request wakes it, or
 * `wakeWaiting`, or the alarm on what waits in the queue.
 */
export function placeJob(host: PlaceHost, pool: string, lane: Lane, nowMs: number): Placement | Promise<Placement> {
  const read = host.shedder.backlogOf({ pool, lane }, nowMs);
  if (read instanceof Promise)
    return read.then((backlog) => placeAfter(host, { pool, backlog, startMs: 0 }, lane, nowMs));
  return placeAfter(host, { pool, backlog: read, startMs: 0 }, lane, nowMs);
}

function placeAfter(host: PlaceHost, own: Placement, lane: Lane, nowMs: number): Placement | Promise<Placement> {
  if (hasWorkers(own.backlog.reports)) return own;
  const startMs = host.ports.wake.wake(own.pool, nowMs);
  if (startMs === 0) return own;
  return bridge(host, own, startMs, lane, nowMs);
}

async function bridge(
  host: PlaceHost,
  own: Placement,
  starting: number | Promise<number>,
  lane: Lane,
  nowMs: number,
): Promise<Placement> {
  const startMs = await starting;
  const pool = host.ports.config.bridges?.[own.pool];
  if (pool === undefined) return { ...own, startMs };
  const backlog = await host.shedder.backlogOf({ pool, lane }, nowMs);
  return hasWorkers(backlog.reports) ? { pool, backlog, startMs: 0 } : { ...own, startMs };
}
