import { type ClientRequest, request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import { Failure } from '../../core/failure.ts';
import type { SendAnswer, WebhookSender } from '../../core/ports/webhook-sender.ts';
import { SECOND_MS } from '../../core/units.ts';
import { createResolver, type ResolveName } from './resolve-name.ts';
import { expectPublic, parseTarget, type Reach, refused, type Target } from './target.ts';

/** Of a whole attempt: name, connection, TLS, sending, the answer's head. */
const TOTAL_MS = 10 * SECOND_MS;
/** Until TCP and TLS are up. */
const CONNECT_MS = 5 * SECOND_MS;
const MAX_ANSWER_HEADER_BYTES = 16 * 1024;

export type SenderOptions = {
  readonly reach: Reach;
  /** For tests: who answers for names, and how long an attempt may take. */
  readonly resolveName?: ResolveName;
  readonly totalMs?: number;
};

/**
 * Posts webhooks. A name is looked up once an attempt, every address checked, and the connection made to what was checked:
 * an answer that changes in between changes nothing. Each attempt has a connection of its own; no proxy is used, whatever
 * the environment says.
 */
export function createWebhookSender({ reach, resolveName, totalMs = TOTAL_MS }: SenderOptions): WebhookSender {
  const resolve = resolveName ?? createResolver(reach);
  return {
    async check(url) {
      const target = parseTarget(url, reach);
      if (target.isAddress) return;
      let addresses: readonly string[];
      try {
        addresses = await resolve(target.host);
      } catch {
        // Nobody can tell now. It is looked up again, and checked, before each attempt.
        return;
      }
      if (addresses.length === 0) throw refused('the name is not known');
      expectPublic(addresses, reach);
    },
    async post(url, headers, body, signal) {
      const timeout = AbortSignal.timeout(totalMs);
      const ended = signal === undefined ? timeout : AbortSignal.any([timeout, signal]);
      try {
        const target = parseTarget(url, reach);
        const addresses = target.isAddress ? [target.host] : await orEnded(resolve(target.host), ended);
        if (addresses.length === 0) return { kind: 'failed', reason: 'unresolved' };
        expectPublic(addresses, reach);
        return await send({ target, addresses, headers, body, ended });
      } catch (error) {
        return { kind: 'failed', reason: reasonOf(error, timeout) };
      }
    },
  };
}

class ConnectTimeout extends Error {}
class Unresolved extends Error {}

type Sending = {
  readonly target: Target;
  readonly addresses: readonly string[];
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly ended: AbortSignal;
};

/** Resolves with the status as soon as the answer's head is there, and hangs up. */
function send({ target, addresses, headers, body, ended }: Sending): Promise<SendAnswer> {
  const bytes = Buffer.from(body);
  const { promise, resolve, reject } = Promise.withResolvers<SendAnswer>();
  const request = (target.url.protocol === 'https:' ? httpsRequest : httpRequest)(target.url, {
    method: 'POST',
    // A new connection, made to what was checked: without an agent none is reused.
    agent: false,
    lookup: pinned(addresses),
    maxHeaderSize: MAX_ANSWER_HEADER_BYTES,
    signal: ended,
    // Whatever the environment says.
    rejectUnauthorized: true,
    headers: {
      ...headers,
      'content-type': 'application/json',
      'content-length': bytes.length,
      'user-agent': 'Sluice-Webhooks',
    },
  });
  const connecting = setTimeout(() => request.destroy(new ConnectTimeout()), CONNECT_MS);
  onConnected(request, () => clearTimeout(connecting));
  request.once('close', () => clearTimeout(connecting));
  request.once('response', (response: IncomingMessage) => {
    resolve({ kind: 'answered', status: response.statusCode ?? 0 });
    // Errors that come of hanging up concern nobody.
    response.on('error', () => {});
    request.destroy();
  });
  request.on('error', reject);
  request.end(bytes);
  return promise;
}

function onConnected(request: ClientRequest, connected: () => void): void {
  request.once('socket', (socket) => {
    socket.once('encrypted' in socket ? 'secureConnect' : 'connect', connected);
  });
}

/** Answers with these addresses, whatever the name servers say by now. */
function pinned(addresses: readonly string[]): LookupFunction {
  const all = addresses.map((address) => ({ address, family: isIP(address) }));
  return (_, options, callback) => {
    if (options.all) callback(null, all);
    else callback(null, all[0]!.address, all[0]!.family);
  };
}

function reasonOf(error: unknown, timeout: AbortSignal): string {
  if (error instanceof Failure) return 'refused-address';
  if (error instanceof Unresolved) return 'unresolved';
  return timeout.aborted || error instanceof ConnectTimeout ? 'timed-out' : 'unreachable';
}

/** The name's addresses, unless the attempt ends before. */
function orEnded(resolving: Promise<readonly string[]>, ended: AbortSignal): Promise<readonly string[]> {
  return new Promise((resolve, reject) => {
    const end = () => reject(ended.reason);
    if (ended.aborted) end();
    ended.addEventListener('abort', end, { once: true });
    resolving
      .then(resolve, (cause: unknown) => reject(new Unresolved('', { cause })))
      .finally(() => ended.removeEventListener('abort', end));
  });
}
