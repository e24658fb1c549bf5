import { divergence } from '../../release/statistics/divergence.ts';

/**
 * Jensen-Shannon distance of two distributions given as counts of the same cells: the root of their divergence in nats, from 0 (alike) to 0.833
 * (they share nothing), as SciPy's `jensenshannon` has it. Undefined if one is empty. Endres and Schindelin, "A new metric for probability
 * distributions", IEEE Transactions on Information Theory 49(7), 2003.
 */
export function jensenShannon(p: readonly number[], q: readonly number[]): number | undefined {
  const bits = divergence(p, q);
  return bits === undefined ? undefined : Math.sqrt(bits * Math.LN2);
}
