import { type Distribution, totalOf } from './distribution.ts';
import { spreadOf } from './wasserstein.ts';

/*
 * How large a distance gets by chance alone, once in a thousand, between two samples of one distribution. Rows are taken to be independent.
 */

/** Of a standard normal variable: exceeded in one direction, and in either, once in a thousand. */
const Z = 3.0902;
const Z_EITHER = 3.2905;
/** √(-ln(0.0005) / 2), of the Kolmogorov distribution's tail 2 exp(-2 x²). */
const KOLMOGOROV = 1.9495;

/** What both samples' sizes come to: the variance of a difference of shares p is p (1 - p) of this. */
function roomOf(reference: number, current: number): number {
  return 1 / reference + 1 / current;
}

/**
 * Of counts of the same cells, in the unit of PSI, which is Σ (p - q)² / p to second order: χ² with one degree less than there are cells, by Wilson and
 * Hilferty's approximation.
 */
export function psiByChance(cells: number, reference: number, current: number): number {
  const degrees = Math.max(1, cells - 1);
  const ninth = 2 / (9 * degrees);
  return degrees * (1 - ninth + Z * Math.sqrt(ninth)) ** 3 * roomOf(reference, current);
}

/** The same of the Jensen-Shannon distance, whose square is an eighth of that to second order. */
export function jensenShannonByChance(cells: number, reference: number, current: number): number {
  return Math.sqrt(psiByChance(cells, reference, current) / 8);
}

export function kolmogorovSmirnovByChance(reference: number, current: number): number {
  return KOLMOGOROV * Math.sqrt(roomOf(reference, current));
}

/** Of the normalised Wasserstein distance: as if the shares up to each value differed by what they do once in a thousand. Never too small. */
export function wassersteinByChance(reference: Distribution, current: number): number {
  const total = totalOf(reference);
  let [seen, area] = [0, 0];
  for (let at = 0; at + 1 < reference.length; at += 1) {
    seen += reference[at]![1];
    const share = seen / total;
    area += Math.sqrt(share * (1 - share)) * (reference[at + 1]![0] - reference[at]![0]);
  }
  return (Z_EITHER * area * Math.sqrt(roomOf(total, current))) / spreadOf(reference);
}
