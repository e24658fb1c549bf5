import type { Message } from '@aws-sdk/client-sqs';
import { MINUTE_MS } from '../../core/units.ts';
import { NO_TENANT, REASON } from './job-message.ts';
import type { SqsLane } from './sqs-lane.ts';

/** Long enough that what is left in place is not met twice by one redrive. */
const HIDDEN_MS = 5 * MINUTE_MS;
const PAGE = 10;
/** Dead letters that one redrive looks at, all told: a minute's work. */
const MOST_LOOKED_AT = 5000;

/** `left`: dead letters that were looked at and stay. */
export type Redriven = { readonly redriven: number; readonly left: number };

/**
 * Sends up to `limit` dead letters to their queue again: those that nobody could take out of it, as storage or keys could not
 * be reached, and whose jobs therefore still wait. A job that has ended or whose time is over since is not run. Those with a
 * reason stay: their jobs have ended, which callers have been told, and a message that is damaged stays so. Each is sent before
 * it is deleted, so that a crash makes it two at the most, of which one runs.
 */
export async function redrive(queue: SqsLane, deadLetters: SqsLane, limit: number): Promise<Redriven> {
  const left: string[] = [];
  let redriven = 0;
  try {
    while (redriven < limit && redriven + left.length < MOST_LOOKED_AT) {
      const messages = await deadLetters.receive(Math.min(PAGE, limit - redriven), 0, HIDDEN_MS);
      if (messages.length === 0) break;
      const again = messages.filter((message) => !hasReason(message));
      left.push(...messages.filter(hasReason).map(handleOf));
      for (const message of again) await sendAgain(queue, message);
      await deadLetters.delete(again.map(handleOf));
      redriven += again.length;
    }
  } finally {
    await deadLetters.hide(left, 0);
  }
  return { redriven, left: left.length };
}

async function sendAgain(queue: SqsLane, { Body: body = '', MessageAttributes: attributes = {} }: Message) {
  await queue.send({ body, attributes }, attributes.tenant?.StringValue ?? NO_TENANT);
}

function hasReason({ MessageAttributes: attributes }: Message): boolean {
  return attributes?.[REASON] !== undefined;
}

function handleOf({ ReceiptHandle: handle = '' }: Message): string {
  return handle;
}
