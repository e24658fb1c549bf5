import { createHmac } from 'node:crypto';
import { DAY_MS, SECOND_MS } from '../units.ts';
import type { WebhookEndpoint } from './webhook.ts';

/** Standard Webhooks asks for 24 to 64 random bytes. */
const SECRET_BYTES = 32;
const SECRET_PREFIX = 'whsec_';
/** How long the secret before the last change signs too: time enough to change it wherever messages are received. */
export const OLD_SECRET_MS = DAY_MS;

type Signing = Pick<WebhookEndpoint, 'secret' | 'previousSecret'>;

/** `whsec_` and base64 of random bytes. */
export function newSecret(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(SECRET_BYTES));
  return SECRET_PREFIX + Buffer.from(bytes).toString('base64');
}

/**
 * The headers of one attempt (Standard Webhooks 1.0): HMAC-SHA256 over `id.timestamp.body`, one signature for each secret that
 * is in force, the newest first. The id stays the same over attempts, the timestamp (Unix seconds) is the attempt's.
 */
export function sign(endpoint: Signing, id: string, body: string, nowMs: number): Record<string, string> {
  const timestamp = String(Math.floor(nowMs / SECOND_MS));
  const { secret, previousSecret } = endpoint;
  const secrets =
    previousSecret === undefined || previousSecret.untilMs <= nowMs ? [secret] : [secret, previousSecret.secret];
  const signatures = secrets.map((each) => `v1,${signature(each, `${id}.${timestamp}.${body}`)}`);
  return { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signatures.join(' ') };
}

function signature(secret: string, content: string): string {
  const key = Buffer.from(secret.slice(SECRET_PREFIX.length), 'base64');
  return createHmac('sha256', key).update(content).digest('base64');
}
