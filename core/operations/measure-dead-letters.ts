import { LANES } from '../inference/job.ts';
import type { Platform } from '../ports/platform.ts';
import type { Measure } from './metric.ts';

/** Dead letters of every lane of the region, those without any too; of pools that are gone where there are some. */
export async function measureDeadLetters(
  { config, deadLetters }: Pick<Platform, 'config' | 'deadLetters'>,
  nowMs: number,
): Promise<readonly Measure[]> {
  const lanes = config.pools.flatMap((pool) => LANES.map((lane) => ({ pool, lane, letters: 0 })));
  const counted = new Map(
    [...lanes, ...(await deadLetters.count(nowMs))].map((one) => [`${one.pool}/${one.lane}`, one]),
  );
  return [...counted.values()].map(({ pool, lane, letters }) => ({
    metric: 'dead_letters',
    of: { pool, lane },
    value: letters,
  }));
}
