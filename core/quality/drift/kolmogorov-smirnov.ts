import { type Distribution, forEachStep } from './distribution.ts';

/**
 * The two-sample Kolmogorov-Smirnov statistic: how far apart the shares of values up to any one are at the most, from 0 to 1. Undefined if one is
 * empty. Of binned values it is that of the bins' middles, never more than that of the values.
 */
export function kolmogorovSmirnov(reference: Distribution, current: Distribution): number | undefined {
  if (reference.length === 0 || current.length === 0) return undefined;
  let furthest = 0;
  forEachStep(reference, current, (_, p, q) => {
    furthest = Math.max(furthest, Math.abs(p - q));
  });
  return furthest;
}
