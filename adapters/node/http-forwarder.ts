import { Failure } from '../../core/failure.ts';
import type { ForwardedAnswer, ForwardedRequest, Forwarder } from '../../core/ports/forwarder.ts';
import { SECOND_MS } from '../../core/units.ts';

/** A home region answers within 25 s, if only with 202; the rest is for the way there and back. */
const ANSWER_WITHIN_MS = 30 * SECOND_MS;
const RETRY_AFTER_MS = 5 * SECOND_MS;

/** RFC 9110 section 7.6.1, and what the connection to the other region sets itself. */
const OF_ONE_CONNECTION = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'host',
  'content-length',
  'expect',
  'accept-encoding',
]);

export class HttpForwarder implements Forwarder {
  async forward(request: ForwardedRequest, signal?: AbortSignal): Promise<ForwardedAnswer> {
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(), ANSWER_WITHIN_MS);
    try {
      const response = await fetch(request.url, {
        method: request.method,
        headers: { ...headersToSend(request.headers), 'accept-encoding': 'identity' },
        body: request.body ?? null,
        redirect: 'manual',
        signal: signal === undefined ? late.signal : AbortSignal.any([signal, late.signal]),
      });
      return { status: response.status, headers: headersToPass(response.headers), body: response.body ?? nothing() };
    } catch (cause) {
      throw new Failure('region-unavailable', { retryAfterMs: RETRY_AFTER_MS }, { cause });
    } finally {
      clearTimeout(timer);
    }
  }
}

function headersToSend(headers: ForwardedRequest['headers']): Record<string, string> {
  const named = Object.entries(headers);
  // What `Connection` lists is of one connection too.
  const listed =
    named
      .find(([name]) => name.toLowerCase() === 'connection')?.[1]
      .toLowerCase()
      .split(/ *, */) ?? [];
  return Object.fromEntries(
    named.filter(([name]) => !OF_ONE_CONNECTION.has(name.toLowerCase()) && !listed.includes(name.toLowerCase())),
  );
}

function headersToPass(headers: Headers): Record<string, string> {
  // fetch has undone a Content-Encoding that came although none was asked for: then neither length is true.
  const decoded = headers.has('content-encoding');
  const passed = [...headers].filter(([name]) =>
    name === 'content-length' ? !decoded : name !== 'content-encoding' && !OF_ONE_CONNECTION.has(name),
  );
  return Object.fromEntries(passed);
}

async function* nothing(): AsyncIterable<Uint8Array> {}
