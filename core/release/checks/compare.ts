import type { Cohort } from '../../ports/telemetry.ts';
import type { Sides } from '../segment.ts';
import { SUSPICIOUS } from '../statistics/levels.ts';
import { type Looks, lookAlpha } from '../statistics/looks.ts';
import { rankSum } from '../statistics/rank-sum.ts';
import type { Check } from '../verdict.ts';

/** Fewer slices than these say nothing of how much slices differ by chance. */
const [LEAST_CANDIDATE, LEAST_STABLE] = [2, 8];

/** One comparison of the slices of both versions. */
export type Comparison = {
  /** The figure of a cohort; undefined where it has none. */
  readonly of: (cohort: Cohort) => number | undefined;
  /** Which difference counts. */
  readonly side: 'higher' | 'lower' | 'either';
  /** True if the difference is large enough to matter. */
  readonly matters: boolean;
  readonly alpha: number;
  /** The look that may decide; undefined between looks. */
  readonly look: Looks | undefined;
};

/**
 * fail: the difference matters, and this look finds it beyond chance. inconclusive: it matters and may be, or there are too few slices.
 * pass: it does not matter. absent: no slice of either version has a figure.
 */
export function compareSlices(sides: Sides, comparison: Comparison): Check['outcome'] {
  // Where nothing matters it is enough to know that there is something to compare.
  const { matters } = comparison;
  const candidate = figures(sides.candidate, comparison.of, matters ? undefined : LEAST_CANDIDATE);
  const stable = figures(sides.stable, comparison.of, matters ? undefined : LEAST_STABLE);
  if (candidate.length === 0 && stable.length === 0) return 'absent';
  if (candidate.length < LEAST_CANDIDATE || stable.length < LEAST_STABLE) return 'inconclusive';
  if (!matters) return 'pass';
  const { look, alpha } = comparison;
  const p = probability(candidate, stable, comparison.side, look !== undefined);
  if (look !== undefined && p <= lookAlpha(alpha, look)) return 'fail';
  return p <= SUSPICIOUS ? 'inconclusive' : 'pass';
}

function probability(
  candidate: readonly number[],
  stable: readonly number[],
  side: Comparison['side'],
  exact: boolean,
): number {
  const higher = rankSum(candidate, stable, exact)!.p;
  if (side === 'higher') return higher;
  const lower = rankSum(candidate.map(negative), stable.map(negative), exact)!.p;
  return side === 'lower' ? lower : Math.min(1, 2 * Math.min(higher, lower));
}

function negative(value: number): number {
  return -value;
}

/** The figures of the cohorts that have one, or the first `most` of them. */
function figures(cohorts: readonly Cohort[], of: Comparison['of'], most = cohorts.length): number[] {
  const found: number[] = [];
  for (const cohort of cohorts) {
    if (found.length >= most) break;
    const value = of(cohort);
    if (value !== undefined) found.push(value);
  }
  return found;
}

/** The middle one of the cohorts' figures; undefined if none has one. One heavy user moves one cohort, not this. */
export function middle(cohorts: readonly Cohort[], of: Comparison['of']): number | undefined {
  const sorted = Float64Array.from(figures(cohorts, of)).sort();
  const at = (sorted.length - 1) / 2;
  return sorted.length === 0 ? undefined : (sorted[Math.floor(at)]! + sorted[Math.ceil(at)]!) / 2;
}
