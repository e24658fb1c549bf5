import { Failure } from '../failure.ts';
import type { Caching, Prefer, QuotaState } from '../inference/request.ts';
import { contextIn } from '../trace/trace-context.ts';
import { DAY_MS, SECOND_MS } from '../units.ts';

const NO_PREFERENCE: Prefer = { respondAsync: false, waitMs: undefined };
const LONGEST_WAIT_S = DAY_MS / SECOND_MS;

/**
 * The preferences of a `Prefer` field that Sluice honours (RFC 7240): `respond-async` and `wait=<seconds>`. The first
 * of each counts. Anything else, a `wait` that is no whole number of seconds too, is ignored: section 2 of the RFC has
 * preferences that a server does not understand ignored, never refused. Longer waits than a day count as a day.
 */
export function parsePrefer(value: string | undefined): Prefer {
  if (value === undefined) return NO_PREFERENCE;
  let respondAsync = false;
  let waitMs: number | undefined;
  for (const preference of splitOutsideQuotes(value, ',')) {
    // Parameters of a preference, after a semicolon, mean nothing to these two.
    const [token = '', argument] = (splitOutsideQuotes(preference, ';')[0] ?? '').split('=', 2);
    const name = token.trim().toLowerCase();
    if (name === 'respond-async' && argument === undefined) respondAsync = true;
    if (name === 'wait' && waitMs === undefined) waitMs = waitOf(argument);
  }
  return { respondAsync, waitMs };
}

/**
 * What the `Cache-Control` of a request says of the response cache: `no-store` and `no-cache` (RFC 9111, 5.2.1), the first
 * of them if both are there. `max-age=0` is what browsers make of `fetch(…, { cache: 'no-cache' })`, and means the same. Other
 * directives are about caches that keep answers beyond a freshness of their own: ignored.
 */
export function parseCacheControl(value: string | undefined): Caching {
  if (value === undefined) return 'use';
  const directives = value.split(',').map((directive) => directive.trim().toLowerCase());
  if (directives.includes('no-store')) return 'avoid';
  return directives.includes('no-cache') || directives.includes('max-age=0') ? 'refresh' : 'use';
}

function waitOf(argument: string | undefined): number | undefined {
  const seconds = argument?.trim().replace(/^"(.*)"$/, '$1');
  if (seconds === undefined || !/^[0-9]{1,10}$/.test(seconds)) return undefined;
  return Math.min(Number(seconds), LONGEST_WAIT_S) * SECOND_MS;
}

function splitOutsideQuotes(value: string, separator: string): string[] {
  if (!value.includes('"')) return value.split(separator);
  const parts: string[] = [];
  let start = 0;
  let quoted = false;
  for (let at = 0; at < value.length; at += 1) {
    if (value[at] === '\\' && quoted) at += 1;
    else if (value[at] === '"') quoted = !quoted;
    else if (value[at] === separator && !quoted) {
      parts.push(value.slice(start, at));
      start = at + 1;
    }
  }
  parts.push(value.slice(start));
  return parts;
}

const MAX_IDEMPOTENCY_KEY_CHARACTERS = 255;
const PRINTABLE_ASCII = /^[\x20-\x7e]+$/;

/**
 * The key of an `Idempotency-Key` field: a structured-field string (RFC 8941: quoted, `\"` and `\\` escaped), or the same
 * without quotes as many clients send it; both spell one key. 1 to 255 printable ASCII characters, else `header-invalid`.
 */
export function parseIdempotencyKey(value: string | undefined): string | undefined {
  if (value === undefined) return undefined;
  const text = value.trim();
  // Longer than the longest key with every character escaped: not worth reading.
  const readable = text.length <= 2 * MAX_IDEMPOTENCY_KEY_CHARACTERS + 2;
  const key = readable && text.startsWith('"') ? unquote(text) : text;
  if (key === undefined || key.length > MAX_IDEMPOTENCY_KEY_CHARACTERS || !PRINTABLE_ASCII.test(key)) {
    const detail = `a quoted string of 1 to ${MAX_IDEMPOTENCY_KEY_CHARACTERS} printable ASCII characters`;
    throw new Failure('header-invalid', { field: 'Idempotency-Key', detail });
  }
  return key;
}

/** The content of a structured-field string, or undefined if it is not one. */
function unquote(text: string): string | undefined {
  const content = /^"((?:[^"\\]|\\["\\])*)"$/.exec(text)?.[1];
  return content?.replaceAll(/\\(["\\])/g, '$1');
}

/** A W3C `traceparent`, or undefined if it is malformed: a trace is never a reason to refuse work. */
export function parseTraceparent(value: string | undefined): string | undefined {
  return value !== undefined && contextIn(value) !== undefined ? value : undefined;
}

/** `RateLimit: "requests";r=50;t=30`: units left, and the seconds until more come. */
export function formatRateLimit(quota: QuotaState): string {
  return `"${quota.policy}";r=${Math.max(0, quota.remaining)};t=${Math.max(0, Math.ceil(quota.resetS))}`;
}

/** `RateLimit-Policy: "requests";q=100;w=60`: units in a window of so many seconds. */
export function formatRateLimitPolicy(quota: QuotaState): string {
  return `"${quota.policy}";q=${quota.limit};w=${quota.windowS}`;
}
