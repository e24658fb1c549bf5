import type { TraceContext } from '../ports/spans.ts';

const TRACEPARENT = /^(?!ff)[0-9a-f]{2}-((?!0{32})[0-9a-f]{32})-((?!0{16})[0-9a-f]{16})-[0-9a-f]{2}$/;
/** Trace ids are compared in their last 32 bits, which W3C asks to be random. */
const RANDOM_DIGITS = 8;
const RANDOM_RANGE = 0x1_0000_0000;

const BYTES_OF_TRACE = 16;
const BYTES_OF_SPAN = 8;
/** Asking for randomness costs more than making hex of it: once for 128 traces. */
const pool = new Uint8Array(128 * (BYTES_OF_TRACE + BYTES_OF_SPAN));
let used = pool.length;

/** A request's own place in its trace, and what its caller was doing. */
export type RequestTrace = { readonly context: TraceContext; readonly parent: TraceContext | undefined };

/**
 * The trace of a request: its caller's where `traceparent` is well formed, else a new one. Whether it is kept follows from `share` and the
 * trace's id alone, the same in every process; a caller's sampled flag is no reason to keep it, or callers would choose what operators pay for.
 */
export function traceOf(traceparent: string | undefined, share: number): RequestTrace {
  const parent = traceparent === undefined ? undefined : contextIn(traceparent);
  const traceId = parent?.traceId ?? hex(BYTES_OF_TRACE);
  const sampled = isSampled(traceId, share);
  return { context: { traceId, spanId: hex(BYTES_OF_SPAN), sampled }, parent: parent && { ...parent, sampled } };
}

/** A place of its own below another one, in the same trace. */
export function childOf({ traceId, sampled }: TraceContext): TraceContext {
  return { traceId, spanId: hex(BYTES_OF_SPAN), sampled };
}

/** As W3C Trace Context writes it. */
export function traceparentOf({ traceId, spanId, sampled }: TraceContext): string {
  return `00-${traceId}-${spanId}-${sampled ? '01' : '00'}`;
}

/** Undefined if it is malformed: a trace is never a reason to refuse work. */
export function contextIn(traceparent: string): TraceContext | undefined {
  const [, traceId, spanId] = TRACEPARENT.exec(traceparent) ?? [];
  if (traceId === undefined || spanId === undefined) return undefined;
  return { traceId, spanId, sampled: traceparent.endsWith('1') };
}

/** True of a `traceparent` of ours whose spans are kept, without taking it apart. */
export function isSampledIn(traceparent: string | undefined): boolean {
  return traceparent?.endsWith('-01') === true;
}

function isSampled(traceId: string, share: number): boolean {
  if (share >= 1) return true;
  return share > 0 && Number.parseInt(traceId.slice(-RANDOM_DIGITS), 16) < share * RANDOM_RANGE;
}

const DIGITS = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

function hex(bytes: number): string {
  if (used + bytes > pool.length) {
    crypto.getRandomValues(pool);
    used = 0;
  }
  let digits = '';
  for (const until = used + bytes; used < until; used += 1) digits += DIGITS[pool[used]!]!;
  return digits;
}
