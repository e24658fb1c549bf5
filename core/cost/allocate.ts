/**
 * Shares out a whole number by weights of at least 0: whole numbers of at least 0 that add up to it exactly, each less than one from its
 * exact share (largest remainders first, of equal ones the first). Without any weight all of them are 0 but the last, which takes everything.
 */
export function allocate(whole: number, weights: readonly number[]): number[] {
  const sum = weights.reduce((total, weight) => total + weight, 0);
  if (sum <= 0) return weights.map((_, at) => (at === weights.length - 1 ? whole : 0));
  const exact = weights.map((weight) => whole * (weight / sum));
  const shares = exact.map(Math.floor);
  let left = whole - shares.reduce((total, share) => total + share, 0);
  const byRemainder = exact.map((share, at) => ({ at, remainder: share - shares[at]! }));
  byRemainder.sort((a, b) => b.remainder - a.remainder || a.at - b.at);
  for (const { at } of byRemainder) {
    if (left <= 0) break;
    if (weights[at]! <= 0) continue;
    shares[at]! += 1;
    left -= 1;
  }
  return shares;
}
