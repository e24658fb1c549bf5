import type { Context } from 'aws-lambda';
import { sqsClient } from '../../adapters/aws/clients.ts';
import { readQualityEnvironment } from '../../adapters/aws/environment.ts';
import { modelEvents } from '../../adapters/aws/model-events.ts';
import { lookAtAll } from '../../core/quality/drift/look-at-all.ts';
import type { TellNotices } from '../../core/quality/drift/tell.ts';
import { webhookNotices } from '../../core/quality/drift/webhook-notices.ts';
import { SECOND_MS } from '../../core/units.ts';
import { start } from './main.ts';
import { openLambdaRegion } from './region.ts';

/** A look takes a second or two: what has begun is finished. */
const SPARE_MS = 15 * SECOND_MS;

/** Looks at the versions that are due, whatever it is invoked for. */
export const handler = await start((lambda) => {
  const { environment, endpoints, variables, clock, log } = lambda;
  const storage = openLambdaRegion(lambda);
  const ports = { ...storage, clock, log };
  const { eventsQueue } = readQualityEnvironment(variables);
  const tellers: TellNotices[] = [webhookNotices(ports, '')];
  if (eventsQueue !== '') {
    const client = sqsClient({ region: environment.awsRegion, endpoint: endpoints.sqs });
    tellers.push(modelEvents(client, eventsQueue, environment));
  }
  const tell: TellNotices = async (notices) => {
    for (const teller of tellers) await teller(notices);
  };
  return async (_event: unknown, context: Context): Promise<{ readonly looked: number }> => {
    try {
      const untilMs = clock.nowMs() + context.getRemainingTimeInMillis() - SPARE_MS;
      return { looked: await lookAtAll(ports, { untilMs, tell }) };
    } finally {
      await storage.settled();
    }
  };
});
