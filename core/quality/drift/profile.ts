import type { Telemetry } from '../../ports/telemetry.ts';
import { CONFIDENCE_BINS } from '../confidence.ts';
import type { InputProfile } from '../input-profile.ts';
import type { LabelCounts } from '../label-counts.ts';
import type { Distribution } from './distribution.ts';

/** What of a version's telemetry is compared with a reference. */
export type Profile = Pick<Telemetry, 'labels' | 'confidence' | 'inputs'>;

/** Rows by what most is known of. */
export function rowsOf({ labels, confidence, inputs }: Profile): number {
  const ofInputs = [...inputs.values()].map(({ rows }) => rows);
  return Math.max(labels.total, confidence.count, ...ofInputs);
}

/** The counts of all labels that either has seen, in one order, what was counted under no name last. */
export function labelCells(a: LabelCounts, b: LabelCounts): readonly (readonly [a: number, b: number])[] {
  const names = new Set([...a.labels(), ...b.labels()]);
  const cells = [...names].map((name) => [a.get(name), b.get(name)] as const);
  return a.other + b.other > 0 ? [...cells, [a.other, b.other]] : cells;
}

/**
 * Neighbouring bins of confidence taken together until each group has a twentieth of the reference: PSI of cells that hardly anything falls in says
 * more of chance than of drift.
 */
export function confidenceCells(
  reference: readonly number[],
  current: readonly number[],
): readonly (readonly [reference: number, current: number])[] {
  const least = reference.reduce((sum, count) => sum + count, 0) / CONFIDENCE_BINS;
  const cells: [number, number][] = [];
  let [ofReference, ofCurrent] = [0, 0];
  for (let bin = 0; bin < CONFIDENCE_BINS; bin += 1) {
    ofReference += reference[bin]!;
    ofCurrent += current[bin]!;
    if (ofReference < least || ofReference === 0) continue;
    cells.push([ofReference, ofCurrent]);
    [ofReference, ofCurrent] = [0, 0];
  }
  const last = cells.at(-1);
  if (last === undefined) return [[ofReference, ofCurrent]];
  last[0] += ofReference;
  last[1] += ofCurrent;
  return cells;
}

/** The buckets of a sketch. */
export function distributionOf(sketch: NonNullable<InputProfile['values'] | InputProfile['lengths']>): Distribution {
  const seen: [number, number][] = [];
  sketch.forEach((middle, count) => {
    seen.push([middle, count]);
  });
  return seen;
}
