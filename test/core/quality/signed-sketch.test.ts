import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { SignedSketch } from '../../../core/quality/signed-sketch.ts';

const values = fc.array(
  fc.oneof(
    fc.constant(0),
    fc.double({ min: 0.01, max: 1e6, noNaN: true }),
    fc.double({ min: -1e6, max: -0.01, noNaN: true }),
  ),
  { minLength: 1, maxLength: 80 },
);

function sketchOf(seen: readonly number[]): SignedSketch {
  const sketch = new SignedSketch();
  for (const value of seen) sketch.add(value);
  return sketch;
}

describe('a sketch of signed numbers', () => {
  test('gives quantiles within 1.9 % of the true ones, whatever their sign', () => {
    fc.assert(
      fc.property(values, fc.double({ min: 0, max: 1, noNaN: true }), (seen, q) => {
        const sorted = seen.toSorted((a, b) => a - b);
        const expected = sorted[Math.max(1, Math.ceil(q * seen.length)) - 1]!;
        expect(Math.abs(sketchOf(seen).quantile(q)! - expected)).toBeLessThanOrEqual(0.0191 * Math.abs(expected));
      }),
    );
  });

  test('visits its values from small to large, each once, and none of nothing', () => {
    fc.assert(
      fc.property(values, (seen) => {
        const visited: (readonly [number, number])[] = [];
        sketchOf(seen).forEach((middle, count) => {
          visited.push([middle, count]);
        });
        const middles = visited.map(([middle]) => middle);
        expect(middles).toEqual(middles.toSorted((a, b) => a - b));
        expect(new Set(middles).size).toBe(middles.length);
        expect(visited.reduce((sum, [, count]) => sum + count, 0)).toBe(seen.length);
      }),
    );
    expect(new SignedSketch().quantile(0.5)).toBeUndefined();
  });

  test('merges to the sketch of all values, and is read as it was written', () => {
    fc.assert(
      fc.property(values, values, (a, b) => {
        const whole = sketchOf([...a, ...b]).encode();
        const merged = sketchOf(a);
        merged.merge(sketchOf(b));
        expect(merged.encode()).toEqual(whole);
        expect(SignedSketch.decode(whole).encode()).toEqual(whole);
      }),
    );
  });

  test('refuses what is no finite number', () => {
    for (const value of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])
      expect(() => new SignedSketch().add(value)).toThrow(RangeError);
  });
});
