/** Values and how often each was seen, from small to large, each value once, every count above 0. */
export type Distribution = readonly (readonly [value: number, count: number])[];

export function totalOf(distribution: Distribution): number {
  let total = 0;
  for (const [, count] of distribution) total += count;
  return total;
}

/** Population standard deviation. */
export function deviationOf(distribution: Distribution): number {
  const total = totalOf(distribution);
  let mean = 0;
  for (const [value, count] of distribution) mean += (value * count) / total;
  let squares = 0;
  for (const [value, count] of distribution) squares += ((value - mean) ** 2 * count) / total;
  return Math.sqrt(squares);
}

/** At each value that either has seen, the shares of both up to and with it. */
export function forEachStep(
  p: Distribution,
  q: Distribution,
  visit: (value: number, shareOfP: number, shareOfQ: number) => void,
): void {
  const [sumP, sumQ] = [totalOf(p), totalOf(q)];
  let [atP, atQ, seenP, seenQ] = [0, 0, 0, 0];
  while (atP < p.length || atQ < q.length) {
    const value = Math.min(p[atP]?.[0] ?? Number.POSITIVE_INFINITY, q[atQ]?.[0] ?? Number.POSITIVE_INFINITY);
    if (p[atP]?.[0] === value) seenP += p[atP++]![1];
    if (q[atQ]?.[0] === value) seenQ += q[atQ++]![1];
    visit(value, seenP / sumP, seenQ / sumQ);
  }
}
