import { availableParallelism, totalmem } from 'node:os';
import { GIB, SECOND_MS } from '../core/units.ts';
import { createWorker, type Worker, type WorkerConfig, type WorkerPorts } from '../gpu-worker/worker.ts';

/** Runners of each worker pool, by the pool's name. */
export type Pools = Readonly<Record<string, number>>;

/** What the models of all runners may take: they share the machine with the gateway. */
const MEMORY_LIMIT_BYTES = Math.min(8 * GIB, totalmem() / 4);

/** A row of SQLite, while there is work. */
const METER_EVERY_MS = 5 * SECOND_MS;

type PoolsConfig = Omit<WorkerConfig, 'worker' | 'pool' | 'runners' | 'memoryLimitBytes' | 'metering'> & {
  readonly usdPerComputeHour: number;
};

/** The pools as told, with `default`, which is always there: as many runners as there are cores unless told otherwise. */
export function withDefaultPool(pools: Pools = {}): Pools {
  return { default: availableParallelism(), ...pools };
}

/** One worker a pool, each with the share of memory that its runners are of all, started and drained together. */
export function createWorkers(
  ports: WorkerPorts,
  region: string,
  pools: Pools,
  { usdPerComputeHour, ...config }: PoolsConfig,
): Worker {
  const allRunners = Object.values(pools).reduce((sum, runners) => sum + runners, 0);
  const workers = Object.entries(pools).map(([pool, runners]) =>
    createWorker(ports, {
      ...config,
      worker: `${region}-${pool}-1`,
      pool,
      runners,
      memoryLimitBytes: (MEMORY_LIMIT_BYTES * runners) / allRunners,
      metering: {
        instanceType: 'local',
        purchase: 'on-demand',
        usdPerHour: usdPerComputeHour * runners,
        everyMs: METER_EVERY_MS,
      },
    }),
  );
  return {
    async start() {
      await Promise.all(workers.map((worker) => worker.start()));
    },
    async drain(deadlineMs) {
      await Promise.all(workers.map((worker) => worker.drain(deadlineMs)));
    },
  };
}
