import type { SendAnswer } from '../ports/webhook-sender.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from '../units.ts';
import { REGION_EVENTS, type WebhookDelivery } from './webhook.ts';

/** The schedule that Standard Webhooks recommends: how long after the n-th failed attempt the next one is due. */
const RETRY_AFTER_MS: readonly number[] = [
  5 * SECOND_MS,
  5 * MINUTE_MS,
  30 * MINUTE_MS,
  2 * HOUR_MS,
  5 * HOUR_MS,
  10 * HOUR_MS,
  14 * HOUR_MS,
  20 * HOUR_MS,
  24 * HOUR_MS,
];
/** What failed together does not come back together: each waits up to this share longer. */
const JITTER_SHARE = 0.2;
/** Of a message that arrived there is nothing left to do but to look at it. */
const DELIVERED_KEPT_MS = DAY_MS;
/** The receiver says that the address is no more (Standard Webhooks). */
const GONE = 410;

/** `endpoint: 'gone'`: nothing is to be sent there any more. */
export type Attempted = { readonly delivery: WebhookDelivery; readonly endpoint: 'kept' | 'gone' };

/**
 * Where a delivery stands after an attempt: 2xx delivered it, 410 ends it and its endpoint, anything else is tried again
 * until the schedule is over.
 */
export function nextAttempt(delivery: WebhookDelivery, answer: SendAnswer, nowMs: number): Attempted {
  const attempts = delivery.attempts + 1;
  const lastResult = answer.kind === 'answered' ? String(answer.status) : answer.reason;
  const tried: WebhookDelivery = { ...delivery, attempts, lastResult };
  if (answer.kind === 'answered' && answer.status >= 200 && answer.status < 300) {
    // What tells of a release or a model is known by its record for as long as it may be told of again.
    const mayComeAgain = REGION_EVENTS.some((event) => event === delivery.event);
    const expiresAtMs = mayComeAgain ? delivery.expiresAtMs : nowMs + DELIVERED_KEPT_MS;
    return { delivery: { ...tried, state: 'delivered', expiresAtMs }, endpoint: 'kept' };
  }
  if (answer.kind === 'answered' && answer.status === GONE) {
    return { delivery: { ...tried, state: 'given-up' }, endpoint: 'gone' };
  }
  const delayMs = RETRY_AFTER_MS[attempts - 1];
  if (delayMs === undefined) return { delivery: { ...tried, state: 'given-up' }, endpoint: 'kept' };
  const dueAtMs = nowMs + Math.floor(delayMs * (1 + JITTER_SHARE * jitterOf(delivery.id, attempts)));
  return { delivery: { ...tried, dueAtMs }, endpoint: 'kept' };
}

/** From 0 to 1, another for each message and attempt: two digits of its id, which is a hash. */
function jitterOf(id: string, attempts: number): number {
  return Number.parseInt(id.slice(2 * attempts + 2, 2 * attempts + 4), 16) / 255;
}
