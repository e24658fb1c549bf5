/** How often the data of a release were looked at, which every further look makes dearer. */
export type Looks = {
  /** In all steps. */
  readonly total: number;
  /** Doublings of the first look's requests that were looked at in this step. */
  readonly inStep: number;
};

export const NO_LOOKS: Looks = { total: 0, inStep: 0 };

/** The first look of a step comes with half of its least requests, but not with fewer than 20 or later than with 240: the second before 500. */
const [EARLIEST, LATEST] = [20, 240];

/**
 * The looks with the one that is due, or undefined if none is. They come when the candidate's requests in the step reach the first look's
 * number, twice as many, four times as many, and so on.
 */
export function dueLook(looks: Looks, requests: number, minRequests: number): Looks | undefined {
  const first = Math.min(LATEST, Math.max(EARLIEST, Math.ceil(minRequests / 2)));
  if (requests < first) return undefined;
  const doubling = Math.floor(Math.log2(requests / first)) + 1;
  return doubling > looks.inStep ? { total: looks.total + 1, inStep: doubling } : undefined;
}

/**
 * The part of `alpha` that the k-th look may use: α / (k (k + 1)), as Σ 1 / (k (k + 1)) = 1. By Boole's inequality all looks together err with probability
 * α at most, however much they have in common. Spending as of Lan and DeMets, Biometrika 70(3), 1983, without their assumption
 * that increments are independent: the same users come back.
 */
export function lookAlpha(alpha: number, { total }: Looks): number {
  return alpha / (total * (total + 1));
}
