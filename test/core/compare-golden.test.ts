import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Tensor } from '../../core/inference/tensor.ts';
import { compareGolden } from '../../core/models/compare-golden.ts';
import { anyTensor } from '../support/tensors.ts';

const EXACT = { absolute: 0, relative: 0 };

function floats(...values: number[]): Tensor {
  return { name: 'y', datatype: 'FP32', shape: [values.length], data: Float32Array.from(values) };
}

function texts(...values: string[]): Tensor {
  return { name: 'y', datatype: 'BYTES', shape: [values.length], data: values };
}

function agrees(expected: Tensor, got: Tensor, tolerance = EXACT): boolean {
  return compareGolden([expected], [got], tolerance).kind === 'agrees';
}

describe('golden outputs', () => {
  test('agree with themselves, of whatever datatype, NaN included', () => {
    fc.assert(fc.property(anyTensor(), (tensor) => agrees(tensor, structuredClone(tensor))));
  });

  test('agree within absolute plus relative tolerance and not beyond', () => {
    const tolerance = { absolute: 0.5, relative: 0.25 };
    expect(agrees(floats(10), floats(13), tolerance)).toBe(true);
    expect(agrees(floats(10), floats(13.25), tolerance)).toBe(false);
    expect(agrees(floats(-10), floats(-7), tolerance)).toBe(true);
    expect(compareGolden([floats(1, 2, 3)], [floats(1, 2.5, 3)], tolerance)).toEqual({
      kind: 'agrees',
      largestDifference: 0.5,
    });
  });

  test('agree with infinities and NaN only where the same was expected, whatever the tolerance', () => {
    const tolerance = { absolute: 1, relative: 1 };
    const odd = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 1];
    for (const a of odd) for (const b of odd) expect(agrees(floats(a), floats(b), tolerance)).toBe(Object.is(a, b));
  });

  test('agree in text only exactly', () => {
    expect(agrees(texts('a', 'b'), texts('a', 'b'))).toBe(true);
    expect(agrees(texts('a', 'b'), texts('a', 'B'), { absolute: 1, relative: 1 })).toBe(false);
    expect(agrees(texts('1'), floats(1), { absolute: 1, relative: 1 })).toBe(false);
  });

  test('differ in the number of elements, in a missing output, and nowhere in outputs that they do not name', () => {
    expect(agrees(floats(1), floats(1, 1))).toBe(false);
    expect(compareGolden([floats(1)], [{ ...floats(1), name: 'z' }], EXACT).kind).toBe('differs');
    expect(compareGolden([floats(1)], [floats(1), { ...floats(2), name: 'z' }], EXACT).kind).toBe('agrees');
  });

  test('in another width of number agree by value', () => {
    const wide: Tensor = { name: 'y', datatype: 'FP64', shape: [1], data: Float64Array.of(0.5) };
    const whole: Tensor = { name: 'y', datatype: 'INT64', shape: [1], data: BigInt64Array.of(3n) };
    const half: Tensor = { name: 'y', datatype: 'FP16', shape: [1], data: Uint16Array.of(0x3800) };
    expect(agrees(wide, floats(0.5))).toBe(true);
    expect(agrees(floats(3), whole)).toBe(true);
    expect(
      agrees({ ...whole, data: BigInt64Array.of(2n ** 60n) }, { ...whole, data: BigInt64Array.of(2n ** 60n + 1n) }),
    ).toBe(false);
    expect(agrees(half, floats(0.5))).toBe(true);
    expect(agrees(half, floats(0x3800))).toBe(false);
  });

  test('that differ are told without their values', () => {
    const comparison = compareGolden([texts('secret')], [texts('hidden')], EXACT);
    expect(comparison.kind).toBe('differs');
    expect(JSON.stringify(comparison)).not.toMatch(/secret|hidden/);
  });
});
