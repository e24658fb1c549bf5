import type { Context } from 'aws-lambda';
import { openHost } from '../entry/host.ts';
import { start } from '../entry/main.ts';
import { validatePushes } from '../schedule/validate-pushes.ts';
import { openRuns } from './runs.ts';

/** Whatever it is invoked for, it looks for itself: an event only says that there may be something. */
export const handler = await start(async (lambda) => {
  const host = { ...(await openHost(lambda)), ...openRuns(lambda) };
  return async (_event: unknown, context: Context): Promise<void> => {
    try {
      await host.refresh();
      await validatePushes(host, lambda.clock.nowMs() + context.getRemainingTimeInMillis());
    } finally {
      await host.settled();
    }
  };
});
