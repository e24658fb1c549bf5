/** What an empty cell counts as; less where the smallest other share is itself as small. As Evidently has it. */
export const EMPTY_SHARE = 1e-4;
const FAR_BELOW = 1e-6;

/**
 * Population stability index of two distributions given as counts of the same cells, Σ (p - q) ln(p / q), with empty cells filled. Undefined if one is
 * empty. Cells that both leave empty do not count. Kullback and Leibler's symmetric divergence (1951), under its name from credit scoring.
 */
export function populationStability(reference: readonly number[], current: readonly number[]): number | undefined {
  const cells = Math.max(reference.length, current.length);
  const used = Array.from({ length: cells }, (_, cell) => cell).filter((cell) => reference[cell] || current[cell]);
  const p = filledShares(used.map((cell) => reference[cell] ?? 0));
  const q = filledShares(used.map((cell) => current[cell] ?? 0));
  if (p === undefined || q === undefined) return undefined;
  let index = 0;
  for (let cell = 0; cell < used.length; cell += 1) index += (p[cell]! - q[cell]!) * Math.log(p[cell]! / q[cell]!);
  return index;
}

function filledShares(counts: readonly number[]): readonly number[] | undefined {
  const total = counts.reduce((sum, count) => sum + count, 0);
  if (total === 0) return undefined;
  const shares = counts.map((count) => count / total);
  const least = Math.min(...shares.filter((share) => share > 0));
  const filling = least <= EMPTY_SHARE ? least * FAR_BELOW : EMPTY_SHARE;
  return shares.map((share) => (share === 0 ? filling : share));
}
