import { type Distribution, deviationOf, forEachStep } from './distribution.ts';

/** A reference whose values are all alike is taken to spread by so much, as Evidently has it. */
const LEAST_DEVIATION = 1e-3;

/**
 * First Wasserstein distance (how far values had to move, on average) in standard deviations of the reference, as Evidently has it: SciPy's
 * `wasserstein_distance` over NumPy's `std`. Undefined if one is empty.
 */
export function wasserstein(reference: Distribution, current: Distribution): number | undefined {
  if (reference.length === 0 || current.length === 0) return undefined;
  let distance = 0;
  let before: { readonly value: number; readonly gap: number } | undefined;
  forEachStep(reference, current, (value, p, q) => {
    if (before !== undefined) distance += before.gap * (value - before.value);
    before = { value, gap: Math.abs(p - q) };
  });
  return distance / spreadOf(reference);
}

/** What a Wasserstein distance is measured in. */
export function spreadOf(reference: Distribution): number {
  return Math.max(deviationOf(reference), LEAST_DEVIATION);
}
