import { LANES, type Lane } from '../inference/job.ts';
import type { BreakerReport, CapacityReport } from '../ports/capacity.ts';
import type { Platform } from '../ports/platform.ts';

export type LaneState = {
  readonly lane: Lane;
  /** Jobs that wait, about. */
  readonly depth: number;
  /** How long the first of them has waited; undefined where the queue cannot tell. */
  readonly oldestMs: number | undefined;
};

/** A version that a worker has loaded, or has an opinion of. */
export type LoadedVersion = {
  readonly model: string;
  readonly version: string;
  /** Measured of late; undefined where nothing was. */
  readonly rowMs: number | undefined;
  readonly breaker: BreakerReport['state'];
  /** Runners that have run it, where a release keeps it warm. */
  readonly warm: number | undefined;
};

export type WorkerState = Omit<CapacityReport, 'loaded' | 'warm' | 'rowMs' | 'breakers'> & {
  readonly loaded: readonly LoadedVersion[];
};

export type PoolState = {
  readonly pool: string;
  readonly lanes: readonly LaneState[];
  readonly workers: readonly WorkerState[];
};

type PoolPorts = Pick<Platform, 'config' | 'queue' | 'capacity' | 'clock'>;

/** Every pool of the region: what waits for it, and the workers that have reported within ten seconds. */
export function readPools(ports: PoolPorts): Promise<readonly PoolState[]> {
  return Promise.all(ports.config.pools.map((pool) => readPool(ports, pool)));
}

async function readPool({ queue, capacity, clock }: PoolPorts, pool: string): Promise<PoolState> {
  const [lanes, reports] = await Promise.all([
    Promise.all(LANES.map((lane) => readLane(queue, pool, lane))),
    capacity.read(pool, clock.nowMs()),
  ]);
  const workers = reports.map(toWorker).sort((a, b) => a.worker.localeCompare(b.worker));
  return { pool, lanes, workers };
}

async function readLane(queue: PoolPorts['queue'], pool: string, lane: Lane): Promise<LaneState> {
  const [depth, oldestMs] = await Promise.all([queue.depth(pool, lane), queue.oldestMs(pool, lane)]);
  return { lane, depth, oldestMs };
}

function toWorker({ loaded, warm, rowMs, breakers, ...report }: CapacityReport): WorkerState {
  const keys = [...new Set([...loaded, ...Object.keys(breakers)])].sort();
  return {
    ...report,
    loaded: keys.map((key) => {
      const [model = '', version = ''] = key.split('@');
      return { model, version, rowMs: rowMs[key], breaker: breakers[key]?.state ?? 'closed', warm: warm?.[key] };
    }),
  };
}
