/** Ratios of failure rates that are bet on, and which part of the stake: most on ten times, which is soon seen; some on three, which takes longer. */
const BETS = [
  { ratio: 3, stake: 0.25 },
  { ratio: 10, stake: 0.75 },
] as const;

/** Units that failed for the first time while the candidate's share stayed the same. */
export type Draw = {
  /** Chance that a unit which fails whatever the version is one of the candidate's. */
  readonly share: number;
  readonly candidate: number;
  readonly stable: number;
};

/**
 * Evidence that units fail more often on the candidate: how many times the stake a fair bet against "the version makes no difference" has won.
 *
 * The lot that put a unit on a version knows nothing of the unit. So if the version makes no difference, each unit that fails, counted
 * once, is the candidate's with chance `share`, independent of all others and whatever the units have in common: tenant, hour or a bad
 * client that fails a thousand times. A ratio θ makes that θ·share / (1 + share·(θ - 1)); the likelihood ratio is a
 * nonnegative martingale, as is the mean over several θ, so evidence of 1/α or more ever comes up with probability α at most, however often one looks
 * (Ville 1939). Bernoulli trials of the arm of each event: Lindon and Malek, "Anytime-valid inference for multinomial count data", NeurIPS 2022.
 */
export function lotEvidence(draws: readonly Draw[]): number {
  let evidence = 0;
  for (const { ratio, stake } of BETS) {
    evidence += stake * Math.exp(draws.reduce((sum, draw) => sum + logRatio(ratio, draw), 0));
  }
  return evidence;
}

function logRatio(ratio: number, { share, candidate, stable }: Draw): number {
  const scale = Math.log1p(share * (ratio - 1));
  return candidate * (Math.log(ratio) - scale) - stable * scale;
}
