import type { Cohort } from '../../ports/telemetry.ts';
import { Sketch } from '../../quality/sketch.ts';
import type { AnalysisRules } from '../plan.ts';
import type { Sides } from '../segment.ts';
import { LEVELS } from '../statistics/levels.ts';
import type { Looks } from '../statistics/looks.ts';
import { type Check, figure } from '../verdict.ts';
import { compareSlices } from './compare.ts';

const QUANTILES = [
  { name: 'latency-p50', label: 'p50', q: 0.5, alpha: LEVELS.latency.p50 },
  { name: 'latency-p95', label: 'p95', q: 0.95, alpha: LEVELS.latency.p95 },
  { name: 'latency-p99', label: 'p99', q: 0.99, alpha: LEVELS.latency.p99 },
] as const;

/** No answer takes less: zero has no logarithm. */
const LEAST_MS = 1e-3;

/**
 * Whether the candidate is slower at p50, p95 or p99. What is compared slice by slice is the mean logarithm, for p95 and p99 the share of requests slower than that quantile of all requests
 * of both versions; what is shown are quantiles in which every slice weighs the same, to 10 %.
 */
export function checkLatency(sides: Sides, rules: AnalysisRules, look: Looks | undefined): Check[] {
  const all = new Sketch('coarse');
  for (const { latencyMs } of [...sides.candidate, ...sides.stable]) all.merge(latencyMs);
  const balanced = { stable: balance(sides.stable), candidate: balance(sides.candidate) };
  return QUANTILES.map(({ name, label, q, alpha }) => {
    const limitMs = all.quantile(q) ?? 0;
    const stable = quantileOf(balanced.stable, q);
    const candidate = quantileOf(balanced.candidate, q);
    const matters = candidate !== undefined && stable !== undefined && candidate >= stable * (1 + rules.latencyGrowth);
    const of = ({ latencyMs }: Cohort) => {
      if (latencyMs.count === 0) return undefined;
      return q === 0.5 ? meanLog(latencyMs) : latencyMs.countAbove(limitMs) / latencyMs.count;
    };
    const outcome = compareSlices(sides, { of, side: 'higher', matters, alpha, look });
    return { name, outcome, stable, candidate, sentence: sentenceOf(label, stable, candidate) };
  });
}

/** Mean logarithm of the latencies: as little moved by outliers as a median is, and finer where a slice saw a few requests. */
function meanLog(latencyMs: Sketch): number {
  let sum = 0;
  latencyMs.forEach((middle, count) => {
    sum += count * Math.log(Math.max(middle, LEAST_MS));
  });
  return sum / latencyMs.count;
}

function sentenceOf(label: string, stable: number | undefined, candidate: number | undefined): string {
  if (stable === undefined || candidate === undefined) return `no ${label} latency of both versions`;
  return `${label} latency is ${figure(candidate)} ms on the candidate, ${figure(stable)} ms on stable`;
}

/** A distribution in which every slice weighs the same: shares by number of bucket, zeros first, and the values of the buckets. */
type Balanced = { readonly weights: readonly number[]; readonly middles: readonly number[]; readonly total: number };

function balance(cohorts: readonly Cohort[]): Balanced {
  const [weights, middles]: [number[], number[]] = [[], []];
  let total = 0;
  for (const { latencyMs } of cohorts) {
    if (latencyMs.count === 0) continue;
    total += 1;
    latencyMs.forEach((middle, count, bucket) => {
      weights[bucket + 1] = (weights[bucket + 1] ?? 0) + count / latencyMs.count;
      middles[bucket + 1] = middle;
    });
  }
  return { weights, middles, total };
}

function quantileOf({ weights, middles, total }: Balanced, q: number): number | undefined {
  let seen = 0;
  for (let at = 0; at < weights.length; at += 1) {
    seen += weights[at] ?? 0;
    // Rounding may leave a little beyond the last.
    if (seen > 0 && seen >= q * total - 1e-9) return middles[at];
  }
  return undefined;
}
