import { expect, test } from 'vitest';
import { missingOf, type Unseen, unseenAfter } from '../../../../core/quality/drift/missing-classes.ts';
import { LabelCounts } from '../../../../core/quality/label-counts.ts';

const counts = (labels: Readonly<Record<string, number>>, other = 0) =>
  LabelCounts.of({ counts: Object.entries(labels), other });
const NOTHING: Unseen = new Map();
const MIN_SAMPLES = 200;
/** One row of a hundred is rare. */
const REFERENCE = counts({ usual: 985, rare: 10, once: 5, never: 0 });

const after = (...windows: readonly LabelCounts[]) =>
  windows.reduce((unseen, window) => unseenAfter(unseen, REFERENCE, window), NOTHING);
const missing = (unseen: Unseen) => missingOf(unseen, REFERENCE, MIN_SAMPLES);

test('a class is missing once so many rows came without it that chance does it once in a thousand times, over windows', () => {
  // 0.99^687 > 0.001 > 0.99^691, and e^(-0.01 n) is 0.001 at 690.8.
  expect(missing(after(counts({ usual: 690 })))).toEqual([]);
  expect(missing(after(counts({ usual: 400 }), counts({ usual: 291 })))).toEqual(['rare']);
});

test('one row of it is enough: it is not missing any more', () => {
  expect(missing(after(counts({ usual: 1000 }), counts({ usual: 1000, rare: 1, once: 1 })))).toEqual([]);
});

test('a common class is missing only after as many rows as a window needs', () => {
  expect(missing(after(counts({ rare: 199 })))).toEqual([]);
  expect(missing(after(counts({ rare: 200 })))).toEqual(['usual']);
});

test('what the reference hardly knows is not expected: fewer than five rows, or a reference of fewer than a hundred', () => {
  const unseen = (reference: LabelCounts) => unseenAfter(NOTHING, reference, counts({ usual: 1e6 }));
  expect([...unseen(counts({ usual: 995, rare: 4 })).keys()]).toEqual(['usual']);
  expect([...unseen(counts({ usual: 995, rare: 5 })).keys()]).toEqual(['usual', 'rare']);
  expect([...unseen(counts({ usual: 50, rare: 49 })).keys()]).toEqual([]);
});

test('beyond the labels that are counted by name a class may be among the others, and is not called missing', () => {
  expect(missing(after(counts({ usual: 100_000 }, 1)))).toEqual([]);
});
