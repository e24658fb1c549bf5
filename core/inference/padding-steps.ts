import type { Speed } from '../models/report.ts';

/** Steps of lengths: rows whose lengths are of one step are padded to the longest of them. */
export type PaddingSteps = (length: number) => number;

/** What padding may give back, on average, of the time that batching saves: a step of width w wastes w / 2 of a row. */
const GIVEN_BACK = 1 / 4;
/** Half an octave, where batching pays best: at most 29 % of a row is padding (1 − 1/√2), on average half of that. */
const WIDEST = Math.SQRT2 - 1;
/** Where batching saves next to nothing a step still gathers what is nearly equal. */
const NARROWEST = 1 / 16;

/**
 * Steps as wide as batching pays at their length, from what validation measured: short rows, of which eight cost little more
 * than one, share a run over wide steps; long ones, which gain nothing, are hardly padded. Half octaves where
 * nothing was measured. `longest` bounds lengths; longer ones share the last step.
 */
export function paddingSteps(speed: readonly Speed[], longest: number): PaddingSteps {
  if (speed.length === 0) return lengthStep;
  const savings = savingsByLength(speed);
  const ends: number[] = [];
  for (let end = 1; end < longest; ) {
    ends.push(end);
    const width = Math.min(Math.max(2 * GIVEN_BACK * savingAt(savings, end), NARROWEST), WIDEST);
    end = Math.max(end + 1, Math.floor(end * (1 + width)));
  }
  return (length) => firstAtLeast(ends, length);
}

/** Half octaves: lengths within a factor of √2 share a step. */
export function lengthStep(length: number): number {
  return Math.ceil(2 * Math.log2(Math.max(1, length)));
}

/** The longest length of a half octave, or of the one below where it has no whole number. */
export function lengthOfStep(step: number): number {
  return Math.floor(2 ** (step / 2));
}

type Saving = { readonly length: number; readonly share: number };

/** Which share of a row's time alone a row in the best run of its length does not need. */
function savingsByLength(speed: readonly Speed[]): Saving[] {
  const lengths = [...new Set(speed.map(({ length }) => length))].sort((a, b) => a - b);
  return lengths.map((length) => {
    const points = speed.filter((point) => point.length === length).sort((a, b) => a.rows - b.rows);
    const alone = points[0]!.runMs / points[0]!.rows;
    const best = Math.min(...points.map(({ runMs, rows }) => runMs / rows));
    return { length, share: alone > 0 ? 1 - best / alone : 0 };
  });
}

/** Between measured lengths in proportion to their logarithm, beyond them as there. */
function savingAt(savings: readonly Saving[], length: number): number {
  const above = savings.find((saving) => saving.length >= length) ?? savings.at(-1)!;
  const below = savings.findLast((saving) => saving.length <= length) ?? savings[0]!;
  if (above.length <= below.length) return above.share;
  const part = Math.log(length / below.length) / Math.log(above.length / below.length);
  return below.share + part * (above.share - below.share);
}

function firstAtLeast(ends: readonly number[], length: number): number {
  let low = 0;
  let high = ends.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (ends[middle]! >= length) high = middle;
    else low = middle + 1;
  }
  return low;
}
