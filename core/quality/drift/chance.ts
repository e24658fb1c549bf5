import { type Distribution, totalOf } from './distribution.ts';
import { EMPTY_SHARE } from './psi.ts';
import { spreadOf } from './wasserstein.ts';

/*
 * How large a distance gets by chance alone, once in a thousand, between two samples of one distribution. Rows are taken to be independent.
 */

/** Of a standard normal variable: exceeded in one direction, and in either, once in a thousand. */
const Z = 3.0902;
const Z_EITHER = 3.2905;
/** √(-ln(0.0005) / 2), of the Kolmogorov distribution's tail 2 exp(-2 x²). */
const KOLMOGOROV = 1.9495;
/** Rows expected in a cell beyond which its second order says all: the next is 0.4 / rows of it. */
const MANY_ROWS = 40;

/** Counts of the same cells. */
type Cells = readonly (readonly [reference: number, current: number])[];

/** What one cell adds to a distance, from its shares; `weight` of (p - q)² / p to second order. */
type Term = { readonly of: (p: number, q: number) => number; readonly weight: number };

const PSI: Term = {
  of: (p, q) => (p - Math.max(q, EMPTY_SHARE)) * Math.log(p / Math.max(q, EMPTY_SHARE)),
  weight: 1,
};
/** Of the squared distance. */
const JENSEN_SHANNON: Term = {
  of: (p, q) => (p * Math.log((2 * p) / (p + q)) + (q === 0 ? 0 : q * Math.log((2 * q) / (p + q)))) / 2,
  weight: 1 / 8,
};

export function psiByChance(cells: Cells, reference: number, current: number): number {
  return sumByChance(PSI, cells, reference, current);
}

export function jensenShannonByChance(cells: Cells, reference: number, current: number): number {
  return Math.sqrt(sumByChance(JENSEN_SHANNON, cells, reference, current));
}

export function kolmogorovSmirnovByChance(reference: number, current: number): number {
  return KOLMOGOROV / Math.sqrt(rowsOfBoth(reference, current));
}

/** Of the normalised Wasserstein distance: as if the shares up to each value differed by what they do once in a thousand. Never too small. */
export function wassersteinByChance(distribution: Distribution, reference: number, current: number): number {
  const total = totalOf(distribution);
  let [seen, area] = [0, 0];
  for (let at = 0; at + 1 < distribution.length; at += 1) {
    seen += distribution[at]![1];
    const share = seen / total;
    area += Math.sqrt(share * (1 - share)) * (distribution[at + 1]![0] - distribution[at]![0]);
  }
  return (Z_EITHER * area) / Math.sqrt(rowsOfBoth(reference, current)) / spreadOf(distribution);
}

/** The size of one sample that is as far from its distribution as the two are from each other. */
function rowsOfBoth(reference: number, current: number): number {
  return 1 / (1 / reference + 1 / current);
}

/**
 * Cells are counted as Poisson variables around the shares of both samples together. Their sum is taken for a scaled χ² variable of the same mean and
 * variance, whose quantile is Wilson and Hilferty's (1931); one degree of freedom goes to the shares' sum.
 */
function sumByChance({ of, weight }: Term, cells: Cells, reference: number, current: number): number {
  const both = cells.reduce((sum, [a, b]) => sum + a + b, 0);
  const rows = rowsOfBoth(reference, current);
  let [mean, variance] = [0, 0];
  for (const [a, b] of cells) {
    const share = (a + b) / both;
    const moments =
      share * rows > MANY_ROWS
        ? { mean: weight / rows, variance: 2 * (weight / rows) ** 2 }
        : momentsOf((seen) => of(share, seen / rows), share * rows);
    mean += moments.mean;
    variance += moments.variance;
  }
  const kept = Math.max(1, cells.length - 1) / cells.length;
  const ninth = variance / (9 * kept * mean * mean);
  return kept * mean * (1 - ninth + Z * Math.sqrt(ninth)) ** 3;
}

/** Mean and variance of a function of a Poisson variable. */
function momentsOf(of: (seen: number) => number, expected: number): { mean: number; variance: number } {
  const most = Math.ceil(expected + 8 * Math.sqrt(expected) + 8);
  let [mean, squares, chance] = [0, 0, Math.exp(-expected)];
  for (let seen = 0; seen <= most; seen += 1) {
    const value = of(seen);
    mean += chance * value;
    squares += chance * value * value;
    chance *= expected / (seen + 1);
  }
  return { mean, variance: Math.max(0, squares - mean * mean) };
}
