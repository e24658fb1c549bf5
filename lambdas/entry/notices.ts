import type { Context } from 'aws-lambda';
import { SECOND_MS } from '../../core/units.ts';
import { sendNotices } from '../schedule/send-notices.ts';
import { openHost } from './host.ts';
import { start } from './main.ts';

/** To write down what became of the last posts. */
const SPARE_MS = 4 * SECOND_MS;

/** Whatever it is invoked for, it looks for itself: an event only says that there may be something. */
export const handler = await start(async (lambda) => {
  const host = await openHost(lambda);
  return async (_event: unknown, context: Context): Promise<void> => {
    try {
      await host.refresh();
      await sendNotices(host, lambda.clock.nowMs() + context.getRemainingTimeInMillis() - SPARE_MS);
    } finally {
      await host.settled();
    }
  };
});
