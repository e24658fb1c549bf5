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
 * Bins of confidence that a twentieth of the reference falls in, each by itself, and those between them together: PSI of many cells that hardly anything
 * falls in says more of chance than of drift.
 */
export function confidenceCells(
  reference: readonly number[],
  current: readonly number[],
): readonly (readonly [reference: number, current: number])[] {
  const least = reference.reduce((sum, count) => sum + count, 0) / CONFIDENCE_BINS;
  const cells: [number, number][] = [];
  let between: [number, number] = [0, 0];
  const close = () => {
    if (between[0] + between[1] > 0) cells.push(between);
    between = [0, 0];
  };
  for (let bin = 0; bin < CONFIDENCE_BINS; bin += 1) {
    if (reference[bin]! >= least) close();
    between[0] += reference[bin]!;
    between[1] += current[bin]!;
    if (between[0] >= least) close();
  }
  close();
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
