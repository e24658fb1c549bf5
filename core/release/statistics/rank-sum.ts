import { normalTail } from './normal.ts';

/** With fewer values than this on one side the test is exact where it matters; above, the normal approximation says more than is true. */
const MOST_EXACT = 12;
/** … except where more than this share of all values are one: few others make a long tail, so those are counted instead. */
const ONE_VALUE = 0.5;
/** Where the approximation says more than this, nothing is decided by it. */
const EXACT_BELOW = 0.02;

export type RankSum = {
  /** Probability that values drawn by lot from all would lie as high as `high`, or higher. */
  readonly p: number;
  /** Chance that one of `high` exceeds one of `low`: 0.5 where they are alike. */
  readonly superiority: number;
};

/**
 * Whether `high` lies above `low`: one-sided Mann and Whitney's rank sum (Annals of Mathematical Statistics 18, 1947), ties by middle ranks. Where it is to be `exact` it
 * is so with few values on a side (the shift algorithm of Streitberg and Röhmel, Statistical Software Newsletter 12, 1986, which takes ties as
 * they are; up to 20 ms), else normal with continuity and tie correction (Lehmann, Nonparametrics, 1975, §1.4). Undefined if a side is empty.
 */
export function rankSum(high: readonly number[], low: readonly number[], exact: boolean): RankSum | undefined {
  const [n, m] = [high.length, low.length];
  if (n === 0 || m === 0) return undefined;
  const { doubledRanks, tied, frequent } = rank([...high, ...low]);
  const doubledSum = doubledRanks.slice(0, n).reduce((sum, one) => sum + one, 0);
  const wins = doubledSum / 2 - (n * (n + 1)) / 2;
  const superiority = wins / (n * m);
  const total = n + m;
  const variance = ((n * m) / 12) * (total + 1 - tied / (total * (total - 1)));
  if (variance <= 0) return { p: 1, superiority };
  const p = normalTail((wins - (n * m) / 2 - 0.5) / Math.sqrt(variance));
  if (!exact || p > EXACT_BELOW) return { p, superiority };
  if (Math.min(n, m) <= MOST_EXACT) return { p: exactTail(doubledRanks, n, doubledSum), superiority };
  return { p: frequent === undefined ? p : countTail(high, low, frequent), superiority };
}

/** Twice the middle rank of every value, so that all are whole; Σ (t³ - t) over groups of t equal values; the value that most have, if any. */
function rank(values: readonly number[]): { doubledRanks: number[]; tied: number; frequent: number | undefined } {
  const order = values.map((_, at) => at).sort((a, b) => values[a]! - values[b]!);
  const doubledRanks = new Array<number>(values.length);
  let tied = 0;
  let frequent: number | undefined;
  for (let from = 0; from < order.length; ) {
    let until = from + 1;
    while (until < order.length && values[order[until]!] === values[order[from]!]) until += 1;
    for (let at = from; at < until; at += 1) doubledRanks[order[at]!] = from + until + 1;
    const equal = until - from;
    tied += equal ** 3 - equal;
    if (equal > ONE_VALUE * values.length) frequent = values[order[from]!];
    from = until;
  }
  return { doubledRanks, tied, frequent };
}

/** Chance that as many of the values above one value are among `high` as are: Fisher's exact test (The Design of Experiments, 1935). */
function countTail(high: readonly number[], low: readonly number[], value: number): number {
  const isAbove = (one: number) => one > value;
  const [seen, n, m] = [high.filter(isAbove).length, high.length, low.length];
  const above = seen + low.filter(isAbove).length;
  let tail = 0;
  for (let k = seen; k <= Math.min(n, above); k += 1)
    tail += Math.exp(logChoose(n, k) + logChoose(m, above - k) - logChoose(n + m, above));
  return Math.min(1, tail);
}

function logChoose(n: number, k: number): number {
  if (k < 0 || k > n) return Number.NEGATIVE_INFINITY;
  let log = 0;
  for (let i = 1; i <= Math.min(k, n - k); i += 1) log += Math.log((n - i + 1) / i);
  return log;
}

/** Share of all ways to draw `n` of the ranks whose sum is at least `sum`. Of the larger side the rest is drawn instead: both sums add up to one. */
function exactTail(ranks: readonly number[], n: number, sum: number): number {
  const rest = ranks.length - n;
  const whole = ranks.reduce((total, one) => total + one, 0);
  const greatest = Math.max(...ranks);
  return n <= rest
    ? drawsWithin(
        ranks.map((one) => greatest - one),
        n,
        n * greatest - sum,
      )
    : drawsWithin(ranks, rest, whole - sum);
}

/** Share of all ways to draw `n` of the numbers whose sum is at most `most`. */
function drawsWithin(numbers: readonly number[], n: number, most: number): number {
  // Without ties all doubled ranks are even: half as many sums.
  const step = numbers.every((one) => one % 2 === 0) ? 2 : 1;
  const size = Math.floor(most / step) + 1;
  const ways = Array.from({ length: n + 1 }, () => new Float64Array(size));
  ways[0]![0] = 1;
  let all = 1;
  for (const [seen, number] of numbers.entries()) {
    const one = number / step;
    for (let drawn = Math.min(n, seen + 1); drawn >= 1; drawn -= 1) {
      const [from, to] = [ways[drawn - 1]!, ways[drawn]!];
      for (let sum = size - 1; sum >= one; sum -= 1) to[sum]! += from[sum - one]!;
    }
  }
  for (let drawn = 0; drawn < n; drawn += 1) all *= (numbers.length - drawn) / (drawn + 1);
  return ways[n]!.reduce((sum, count) => sum + count, 0) / all;
}
