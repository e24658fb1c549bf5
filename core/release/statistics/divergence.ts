/**
 * Jensen-Shannon divergence of two distributions given as counts of the same cells, base 2: 0 where they are alike, 1 where they share nothing.
 * Undefined if one is empty. JS = H((p + q) / 2) - (H(p) + H(q)) / 2: Lin, "Divergence measures based on the Shannon entropy", IEEE
 * Transactions on Information Theory 37(1), 1991.
 */
export function divergence(p: readonly number[], q: readonly number[]): number | undefined {
  const [sumP, sumQ] = [total(p), total(q)];
  if (sumP === 0 || sumQ === 0) return undefined;
  let bits = 0;
  for (let cell = 0; cell < Math.max(p.length, q.length); cell += 1) {
    const [a, b] = [(p[cell] ?? 0) / sumP, (q[cell] ?? 0) / sumQ];
    bits += term(a, (a + b) / 2) + term(b, (a + b) / 2);
  }
  return Math.min(1, Math.max(0, bits / 2));
}

function term(share: number, mean: number): number {
  return share === 0 ? 0 : share * Math.log2(share / mean);
}

function total(counts: readonly number[]): number {
  return counts.reduce((sum, count) => sum + count, 0);
}
