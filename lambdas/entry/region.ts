import { statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readWaitingEnvironment } from '../../adapters/aws/environment.ts';
import { type AwsRegion, openRegion } from '../../adapters/aws/open-region.ts';
import { SECOND_MS } from '../../core/units.ts';
import type { LambdaProcess } from './main.ts';

/** Of the function's own disk for model files: the rest is for the copies that a validation makes. */
const CACHE_SHARE = 0.5;
/** A handler decides by it what to refuse for waiting longer than its deadline, half a minute: what came within a second is no matter. */
const DEPTH_AGE_MS = SECOND_MS;
/**
 * Workers write once a second. All reports of a pool are in one partition, which gives 12 MB a second: of 20 workers of 2 KB each
 * 300 reads, however many requests there are.
 */
const CAPACITY_AGE_MS = SECOND_MS / 2;

/** Of a function's invocations at once, those that one tenant may hold for long: two that flood leave a third to all others. */
const WAITING_SHARE = 1 / 3;

/** The region's storage, with what model files this process needs in its `/tmp`. */
export function openLambdaRegion(lambda: LambdaProcess): AwsRegion {
  const { bsize, blocks } = statfsSync(tmpdir());
  const { reservedConcurrency } = readWaitingEnvironment(lambda.variables);
  return openRegion({
    ...lambda,
    cacheFolder: join(tmpdir(), 'sluice-models'),
    cacheBytes: Math.floor(bsize * blocks * CACHE_SHARE),
    depthAgeMs: DEPTH_AGE_MS,
    capacityAgeMs: CAPACITY_AGE_MS,
    mostWaiting: reservedConcurrency && Math.max(1, Math.floor(reservedConcurrency * WAITING_SHARE)),
  });
}
