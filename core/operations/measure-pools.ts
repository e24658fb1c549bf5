import { LANES } from '../inference/job.ts';
import type { CapacityReport } from '../ports/capacity.ts';
import type { Platform } from '../ports/platform.ts';
import { SECOND_MS } from '../units.ts';
import type { Measure } from './metric.ts';
import type { WatchRecord } from './watch-record.ts';

export type PoolsHost = Pick<Platform, 'capacity' | 'config' | 'queue'>;

/** Queues and workers of every pool, and since when jobs wait for a first worker. One pool that cannot be read fails all. */
export async function measurePools(
  { capacity, config, queue }: PoolsHost,
  before: Pick<WatchRecord, 'coldSinceMs'> | undefined,
  nowMs: number,
): Promise<{ readonly measures: readonly Measure[] } & Pick<WatchRecord, 'coldSinceMs'>> {
  const measures: Measure[] = [];
  const coldSinceMs: Record<string, number> = {};
  for (const pool of config.pools) {
    const reports = (await capacity.read(pool, nowMs)).filter(({ draining }) => !draining);
    const depths = await Promise.all(LANES.map(async (lane) => ({ lane, depth: await queue.depth(pool, lane) })));
    for (const { lane, depth } of depths) measures.push({ metric: 'queue_depth', of: { pool, lane }, value: depth });
    for (const lane of LANES) {
      const oldestMs = await queue.oldestMs(pool, lane);
      if (oldestMs !== undefined)
        measures.push({ metric: 'queue_oldest_s', of: { pool, lane }, value: oldestMs / SECOND_MS });
    }
    const waiting = depths.reduce((sum, { depth }) => sum + depth, 0);
    const isCold = reports.length === 0 && waiting > 0;
    if (isCold) coldSinceMs[pool] = before?.coldSinceMs[pool] ?? nowMs;
    const runners = reports.reduce((sum, report) => sum + report.runners, 0);
    const busy = reports.reduce((sum, report) => sum + (report.busy ?? 0), 0);
    if (runners > 0) measures.push({ metric: 'runners_busy_share', of: { pool }, value: busy / runners });
    measures.push(...usageOf(pool, reports));
    const ofPool = [
      ['workers', reports.length],
      ['runners', runners],
      ['jobs_without_workers', isCold ? waiting : 0],
      ['cold_start_s', isCold ? (nowMs - coldSinceMs[pool]!) / SECOND_MS : 0],
    ] as const;
    for (const [metric, value] of ofPool) measures.push({ metric, of: { pool }, value });
  }
  return { measures, coldSinceMs };
}

/** What workers say of the machine that they run on, where they do. */
function usageOf(pool: string, reports: readonly CapacityReport[]): Measure[] {
  const usages = reports.flatMap(({ usage }) => (usage === undefined ? [] : [usage]));
  if (usages.length === 0) return [];
  const measures: Measure[] = [];
  const add = (metric: Measure['metric'], value: number) => measures.push({ metric, of: { pool }, value });
  const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
  add('runner_memory_bytes', sum(usages.map(({ memoryBytes }) => memoryBytes)));
  const cpu = usages.flatMap(({ cpuShare }) => (cpuShare === undefined ? [] : [cpuShare]));
  if (cpu.length > 0) add('runner_cpu_share', sum(cpu) / cpu.length);
  const gpus = usages.flatMap(({ gpu }) => (gpu === undefined ? [] : [gpu]));
  if (gpus.length === 0) return measures;
  add('gpu_busy_share', sum(gpus.map(({ busyShare }) => busyShare)) / gpus.length);
  add('gpu_memory_share', sum(gpus.map((gpu) => gpu.memoryBytes)) / sum(gpus.map((gpu) => gpu.totalBytes)));
  return measures;
}
