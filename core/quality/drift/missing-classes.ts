import type { LabelCounts } from '../label-counts.ts';
import { LEAST_REFERENCE_ROWS } from './rules.ts';

/** A class that the reference has seen less often is not expected by it: how rare it is is not known. */
const LEAST_SEEN = 5;
/** ln(1000): as many rows are expected of a class where none of it comes once in a thousand times. */
const EXPECTED_ROWS = Math.log(1000);

/** Of each label that the reference expects, rows of any label since it was last seen. */
export type Unseen = ReadonlyMap<string, number>;

/** Once the rows of another window are known. */
export function unseenAfter(before: Unseen, reference: LabelCounts, window: LabelCounts): Unseen {
  const rows = window.total;
  const unseen = new Map<string, number>();
  for (const label of expectedOf(reference)) {
    // Beyond 512 labels some are counted under no name: it may be among them.
    const isSeen = window.get(label) > 0 || window.other > 0;
    unseen.set(label, isSeen ? 0 : (before.get(label) ?? 0) + rows);
  }
  return unseen;
}

/** Labels that come no more, in order: so many rows without one happen by chance once in a thousand times, and there are `minSamples` of them. */
export function missingOf(unseen: Unseen, reference: LabelCounts, minSamples: number): readonly string[] {
  const { total } = reference;
  const missing = [...unseen].filter(
    ([label, rows]) => rows >= minSamples && (rows * reference.get(label)) / total >= EXPECTED_ROWS,
  );
  return missing.map(([label]) => label).sort();
}

function expectedOf(reference: LabelCounts): readonly string[] {
  if (reference.total < LEAST_REFERENCE_ROWS) return [];
  return [...reference.labels()].filter((label) => reference.get(label) >= LEAST_SEEN);
}
