import { SendMessageBatchCommand, type SQSClient } from '@aws-sdk/client-sqs';
import type { QualityNotice } from '../../core/quality/drift/quality-record.ts';
import { nameOfNotice, type TellNotices } from '../../core/quality/drift/tell.ts';
import { namedError, toFailure } from './aws-failure.ts';
import type { MODEL_EVENT_FIELDS } from './environment.ts';

/** SQS takes ten. */
const MOST_AT_ONCE = 10;

/** Where an event comes from. */
export type EventSource = { readonly deployment: string; readonly region: string };

type ModelEvent = { readonly [Field in (typeof MODEL_EVENT_FIELDS)[number]]: unknown };

/** Sends notices to the queue that a pipe takes to EventBridge: one event each, at least once, `id` the same each time. */
export function modelEvents(client: SQSClient, queueUrl: string, source: EventSource): TellNotices {
  return async (notices) => {
    for (let from = 0; from < notices.length; from += MOST_AT_ONCE) {
      const some = notices.slice(from, from + MOST_AT_ONCE);
      const entries = some.map((notice, at) => ({
        Id: String(at),
        MessageBody: JSON.stringify(eventOf(notice, source)),
      }));
      try {
        const { Failed: failed = [] } = await client.send(
          new SendMessageBatchCommand({ QueueUrl: queueUrl, Entries: entries }),
        );
        if (failed.length > 0) throw namedError(failed[0]!.Code ?? 'ServiceUnavailable');
      } catch (error) {
        throw toFailure(error);
      }
    }
  };
}

/** Every field is there, as the pipe asks for each. */
function eventOf(notice: QualityNotice, { deployment, region }: EventSource): ModelEvent {
  const { event, reason, model, version, atMs, window, checks, missingClasses } = notice;
  return {
    id: nameOfNotice(notice),
    deployment,
    region,
    event,
    reason,
    model,
    version,
    at: new Date(atMs).toISOString(),
    window: window === undefined ? {} : { from: isoOf(window.fromMs), until: isoOf(window.untilMs) },
    checks,
    missing_classes: missingClasses,
  };
}

function isoOf(ms: number): string {
  return new Date(ms).toISOString();
}
