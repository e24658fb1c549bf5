import type { LaneUrls } from '../../../adapters/aws/job-queue.ts';
import type { Lane } from '../../../core/inference/job.ts';
import type { SqsEmulator } from './sqs-emulator.ts';

/** The queues of one pool, made. */
export function createLanes(fauxqs: SqsEmulator): Record<Lane, LaneUrls> {
  const lane = () => ({ url: fauxqs.createQueue().url, deadLetterUrl: fauxqs.createQueue().url });
  return { interactive: lane(), bulk: lane() };
}
