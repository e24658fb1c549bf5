import fc from 'fast-check';
import { expect, test } from 'vitest';
import { LabelCounts } from '../../../core/quality/label-counts.ts';
import { Sketch } from '../../../core/quality/sketch.ts';
import { compareHistograms } from '../../../core/release/compare-histograms.ts';
import { compareLabels } from '../../../core/release/compare-labels.ts';

function sketchOf(values: readonly number[]): Sketch {
  const sketch = new Sketch();
  for (const value of values) sketch.add(value);
  return sketch;
}

test('every value of both versions is in one of 24 bins that adjoin, whatever the values are', () => {
  const values = fc.array(fc.double({ min: 0, max: 1e8, noNaN: true }), { maxLength: 200 });
  fc.assert(
    fc.property(values, values, (stable, candidate) => {
      const bins = compareHistograms(sketchOf(stable), sketchOf(candidate));
      if ([...stable, ...candidate].every((value) => value === 0)) {
        expect(bins).toEqual([]);
        return;
      }
      expect(bins).toHaveLength(24);
      expect(bins.reduce((sum, bin) => sum + bin.stable, 0)).toBe(stable.length);
      expect(bins.reduce((sum, bin) => sum + bin.candidate, 0)).toBe(candidate.length);
      for (const [at, bin] of bins.entries()) {
        expect(bin.until).toBeGreaterThan(bin.from);
        if (at > 0) expect(bin.from).toBe(bins[at - 1]!.until);
      }
    }),
    { numRuns: 200 },
  );
});

test('one request that took long does not make the rest one bar', () => {
  const most = Array.from({ length: 5000 }, (_, at) => 10 + (at % 20));
  const bins = compareHistograms(sketchOf([...most, 100_000]), sketchOf(most));
  expect(bins.at(-1)!.until).toBeLessThan(40);
  expect(bins.filter(({ candidate }) => candidate > 0).length).toBeGreaterThan(10);
});

test('a value lies within the bin that counts it, to the exactness of a sketch', () => {
  const bins = compareHistograms(sketchOf([5, 50, 500]), sketchOf([50]));
  const [bin] = bins.filter(({ candidate }) => candidate > 0);
  expect(bin!.stable).toBe(1);
  expect(bin!.from * 0.98).toBeLessThanOrEqual(50);
  expect(bin!.until * 1.02).toBeGreaterThanOrEqual(50);
});

test('at most 12 labels are told by name, the most frequent on either version first, and the rest together', () => {
  const [stable, candidate] = [new LabelCounts(), new LabelCounts()];
  for (let at = 0; at < 30; at += 1) stable.add(`label ${at}`, at === 3 ? 71 : 1);
  candidate.add('only here', 10);
  const labels = compareLabels(stable, candidate);
  expect(labels).toHaveLength(13);
  expect(labels[0]).toEqual({ label: 'only here', stable: 0, candidate: 1 });
  expect(labels[1]).toEqual({ label: 'label 3', stable: 0.71, candidate: 0 });
  const sums = labels.reduce((sum, label) => [sum[0]! + label.stable!, sum[1]! + label.candidate!], [0, 0]);
  expect(sums[0]).toBeCloseTo(1, 9);
  expect(sums[1]).toBeCloseTo(1, 9);
  expect(labels.at(-1)).toMatchObject({ label: undefined, candidate: 0 });
});

test('a version that gave no label has no shares, not shares of zero', () => {
  const stable = new LabelCounts();
  stable.add('calm');
  expect(compareLabels(stable, new LabelCounts())).toEqual([{ label: 'calm', stable: 1, candidate: undefined }]);
  expect(compareLabels(new LabelCounts(), new LabelCounts())).toEqual([]);
});
