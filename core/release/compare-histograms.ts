import type { Sketch } from '../quality/sketch.ts';

/** Values from `from` up to, and not including, `until`, and how many of them each version had. */
export type HistogramBin = {
  readonly from: number;
  readonly until: number;
  readonly stable: number;
  readonly candidate: number;
};

/** As many as a chart shows. */
const BINS = 24;
/** Of each version: what is beyond is in the first or the last bin, so that one slow request does not make the rest one bar. */
const SHOWN = [0.001, 0.999] as const;

/** Two distributions in the same bins, each as many times as wide as the one before it; empty of nothing. Every value is in one of them. */
export function compareHistograms(stable: Sketch, candidate: Sketch): HistogramBin[] {
  const quantiles = (q: number) =>
    [stable.quantile(q), candidate.quantile(q)].filter((end) => end !== undefined && end > 0);
  const shown = SHOWN.flatMap(quantiles) as number[];
  const known = shown.length === 0 ? (quantiles(1) as number[]) : shown;
  if (known.length === 0) return [];
  const [least, most] = [Math.min(...known), Math.max(...known)];
  // A little room on both sides: what a sketch gives are middles of its buckets.
  const [from, until] = [least * 0.95, most * 1.05];
  const ratio = (until / from) ** (1 / BINS);
  const bounds = Array.from({ length: BINS + 1 }, (_, at) => from * ratio ** at);
  const counts = [stable, candidate].map((sketch) => countsIn(sketch, from, Math.log(ratio)));
  return bounds.slice(0, BINS).map((bound, at) => ({
    from: bound,
    until: bounds[at + 1]!,
    stable: counts[0]![at]!,
    candidate: counts[1]![at]!,
  }));
}

function countsIn(sketch: Sketch, from: number, logRatio: number): number[] {
  const counts = new Array<number>(BINS).fill(0);
  sketch.forEach((middle, count) => {
    const at = middle <= from ? 0 : Math.min(BINS - 1, Math.floor(Math.log(middle / from) / logRatio));
    counts[at]! += count;
  });
  return counts;
}
