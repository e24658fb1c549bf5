/**
 * Generic cell rate algorithm (ITU-T I.371): a rate limit in one number, the theoretical arrival time of the
 * next unit. `burst` units may come at once; `ratePerMs` come back each millisecond.
 */
export type GcraPolicy = { readonly ratePerMs: number; readonly burst: number };

export type GcraAnswer = {
  /** Store this; it is never less than the one given. */
  readonly tatMs: number;
  readonly granted: number;
  readonly remaining: number;
  /** Until `needed` units would be granted; 0 if they were. Infinity if `needed` exceeds the burst. */
  readonly retryAfterMs: number;
  readonly resetMs: number;
};

/**
 * Takes as many of `wanted` units as there are, but nothing if fewer than `needed` are there.
 * Over any window of w milliseconds no more than `burst + w × ratePerMs` units are granted.
 */
export function takeUnits(
  policy: GcraPolicy,
  tatMs: number,
  needed: number,
  wanted: number,
  nowMs: number,
): GcraAnswer {
  const unitMs = 1 / policy.ratePerMs;
  const floorMs = Math.max(tatMs, nowMs);
  // The slack absorbs rounding in the division; a millionth of a unit is not a grant.
  const available = Math.max(0, Math.floor(policy.burst - (floorMs - nowMs) / unitMs + 1e-6));
  const granted = available >= needed ? Math.min(available, wanted) : 0;
  const nextMs = granted > 0 ? floorMs + granted * unitMs : Math.max(tatMs, 0);
  const usedMs = Math.max(nextMs - nowMs, 0);
  const missing = needed - (policy.burst - usedMs / unitMs);
  return {
    tatMs: nextMs,
    granted,
    remaining: available - granted,
    retryAfterMs: granted > 0 ? 0 : needed > policy.burst ? Number.POSITIVE_INFINITY : Math.max(0, missing * unitMs),
    resetMs: usedMs,
  };
}
