import { createHash } from 'node:crypto';
import type { EndedJob } from '../ports/jobs.ts';
import { DAY_MS } from '../units.ts';
import type { WebhookDelivery, WebhookEndpoint, WebhookEvent } from './webhook.ts';

/** Attempts go on for three days and a half; what was given up can be looked at and replayed for the rest of a week. */
export const DELIVERY_KEPT_MS = 7 * DAY_MS;
/** Of SHA-256, in hex: 128 bits, as predictions have. */
const ID_DIGITS = 32;

/** The messages that tell of one end: one for each endpoint that is enabled and wants such events, due at once. */
export function fanOut(ended: EndedJob, endpoints: readonly WebhookEndpoint[], nowMs: number): WebhookDelivery[] {
  const event: WebhookEvent = ended.failure === undefined ? 'prediction.succeeded' : 'prediction.failed';
  const wanting = endpoints.filter(({ disabled, events }) => disabled === 'no' && events.includes(event));
  const body = wanting.length === 0 ? '' : bodyOf(event, ended);
  const message = { tenant: ended.tenant, about: ended.id, name: ended.id, event, body };
  return wanting.map((endpoint) => messageTo(endpoint, message, nowMs));
}

/** What an endpoint is to be told. */
type Message = {
  readonly tenant: string;
  /** Id of the prediction or the release. */
  readonly about: string;
  /** Names it among all that its tenant is told of. */
  readonly name: string;
  readonly event: WebhookEvent;
  readonly body: string;
};

/** Due at once. Its id is always the same for a name and an endpoint: who fans out twice repeats nothing. */
export function messageTo({ id: endpoint }: WebhookEndpoint, message: Message, nowMs: number): WebhookDelivery {
  const { tenant, about, name, event, body } = message;
  const named = createHash('sha256').update(`${name}/${endpoint}`).digest('hex');
  return {
    id: `msg_${named.slice(0, ID_DIGITS)}`,
    tenant,
    endpoint,
    prediction: about,
    event,
    body,
    state: 'waiting',
    attempts: 0,
    createdAtMs: nowMs,
    dueAtMs: nowMs,
    expiresAtMs: nowMs + DELIVERY_KEPT_MS,
  };
}

/** Thin: it says where the result is, and holds nothing of it. */
function bodyOf(type: WebhookEvent, ended: EndedJob): string {
  return JSON.stringify({
    type,
    timestamp: new Date(ended.endedAtMs).toISOString(),
    data: {
      id: ended.id,
      model: ended.model,
      model_version: ended.version,
      state: ended.failure === undefined ? 'succeeded' : 'failed',
      code: ended.failure,
      url: `/v2/predictions/${ended.id}`,
    },
  });
}
