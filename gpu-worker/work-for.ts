import { bucketOf } from '../core/inference/batch-plan.ts';
import { toWork, type Work } from '../core/inference/work.ts';
import type { ServedVersion } from './version-shelf.ts';

/** The same delivery as work for another version. */
export function workFor(version: ServedVersion, delivery: Work['delivery']): Work {
  const bucket = bucketOf(version.plan, delivery.job);
  return toWork(delivery, version.key, bucket, version.cost(bucket.costKey).shareMs(delivery.job.rows));
}
