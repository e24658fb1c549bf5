import type { Context } from 'aws-lambda';
import { SECOND_MS } from '../../core/units.ts';
import { sweepAll } from '../schedule/sweep-all.ts';
import { openHost } from './host.ts';
import { start } from './main.ts';

/** The sends of one more round. */
const SPARE_MS = 10 * SECOND_MS;

export const handler = await start(async (lambda) => {
  const host = await openHost(lambda);
  return async (_event: unknown, context: Context): Promise<void> => {
    try {
      await host.refresh();
      await sweepAll(host, lambda.clock.nowMs() + context.getRemainingTimeInMillis() - SPARE_MS);
    } finally {
      await host.settled();
    }
  };
});
