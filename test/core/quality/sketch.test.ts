import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Sketch } from '../../../core/quality/sketch.ts';

const value = fc.oneof(
  fc.constant(0),
  fc.double({ min: 1e-3, max: 1e9, noNaN: true }),
  fc.double({ min: -6.9, max: 20.7, noNaN: true }).map(Math.exp),
);
const values = fc.array(value, { minLength: 1, maxLength: 300 });

function sketchOf(seen: readonly number[], kind: 'fine' | 'coarse' = 'fine'): Sketch {
  const sketch = new Sketch(kind);
  for (const one of seen) sketch.add(one);
  return sketch;
}

function merged(...parts: readonly Sketch[]): Sketch {
  const all = new Sketch();
  for (const part of parts) all.merge(part);
  return all;
}

describe('a sketch', () => {
  test.each([
    ['fine', 0.02],
    ['coarse', 0.1],
  ] as const)('of the %s kind is within %d of every true quantile', (kind, relativeError) => {
    fc.assert(
      fc.property(values, fc.double({ min: 0, max: 1, noNaN: true }), (seen, q) => {
        const sorted = seen.toSorted((a, b) => a - b);
        const exact = sorted[Math.max(1, Math.ceil(q * sorted.length)) - 1]!;
        const got = sketchOf(seen, kind).quantile(q)!;
        expect(Math.abs(got - exact)).toBeLessThanOrEqual(relativeError * exact * (1 + 1e-9));
      }),
      { numRuns: 500 },
    );
  });

  test('merges exactly: commutative, associative, and equal to the sketch of all values', () => {
    fc.assert(
      fc.property(values, values, values, (a, b, c) => {
        const whole = sketchOf([...c, ...a, ...b]).encode();
        const [x, y, z] = [sketchOf(a), sketchOf(b), sketchOf(c)];
        expect(merged(merged(x, y), z).encode()).toEqual(whole);
        expect(merged(x, merged(y, z)).encode()).toEqual(whole);
        expect(merged(z, y, x).encode()).toEqual(whole);
      }),
    );
  });

  test('counts every value and sums them to 1/2,048 of each', () => {
    fc.assert(
      fc.property(values, (seen) => {
        const sketch = sketchOf(seen);
        expect(sketch.count).toBe(seen.length);
        const exact = seen.reduce((sum, one) => sum + one, 0);
        expect(Math.abs(sketch.sum - exact)).toBeLessThanOrEqual(seen.length / 2048 + exact * 1e-12);
      }),
    );
  });

  test('reads what it wrote, and what it then merges is the same', () => {
    fc.assert(
      fc.property(values, values, (a, b) => {
        const read = Sketch.decode(sketchOf(a).encode());
        expect(read.count).toBe(a.length);
        read.merge(sketchOf(b));
        expect(read.encode()).toEqual(sketchOf([...a, ...b]).encode());
      }),
    );
  });

  test('counts above a value what lies in higher buckets, and no more than that', () => {
    fc.assert(
      fc.property(values, value, (seen, at) => {
        const above = sketchOf(seen).countAbove(at);
        expect(above).toBeLessThanOrEqual(seen.filter((one) => one > at).length);
        expect(above).toBeGreaterThanOrEqual(seen.filter((one) => one > Math.max(at, 1e-3) * 1.04).length);
      }),
    );
  });

  test('takes bounded memory whatever it sees: beyond its range, values count as the nearest in it', () => {
    const sketch = new Sketch();
    for (let power = -300; power <= 300; power += 1)
      for (let step = 0; step < 40; step += 1) sketch.add(10 ** (power + step / 40));
    expect(sketch.encode().length).toBeLessThan(2000);
    expect(sketch.quantile(0)).toBeCloseTo(1e-3, 4);
    expect(sketch.quantile(1)! / 1e9).toBeCloseTo(1, 1);
  });

  test('tells zero from small values', () => {
    const sketch = sketchOf([0, 0, 0, 5]);
    expect([sketch.quantile(0.5), sketch.quantile(0.75), sketch.count]).toEqual([0, 0, 4]);
    expect(sketch.quantile(1)! / 5).toBeCloseTo(1, 1);
    expect(new Sketch().quantile(0.5)).toBeUndefined();
  });

  test.each([Number.NaN, -1, Number.POSITIVE_INFINITY])('refuses %d', (bad) => {
    expect(() => new Sketch().add(bad)).toThrow(RangeError);
  });

  test('refuses bytes of another encoding, of another kind, or cut short', () => {
    const bytes = sketchOf([1, 2, 300]).encode();
    expect(() => Sketch.decode(Uint8Array.from([9, ...bytes.slice(1)]))).toThrow(RangeError);
    expect(() => Sketch.decode(Uint8Array.from([1, 7, ...bytes.slice(2)]))).toThrow(RangeError);
    expect(() => Sketch.decode(bytes.slice(0, -1))).toThrow(RangeError);
    expect(() => new Sketch('coarse').merge(new Sketch('fine'))).toThrow(TypeError);
  });
});
