import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Tensor } from '../../../core/inference/tensor.ts';
import { compareOutputs } from '../../../core/models/replay/compare-outputs.ts';
import { floats } from '../../support/jobs.ts';
import { anyTensor } from '../../support/tensors.ts';

const EXACT = { absolute: 0, relative: 0 };
const LOOSE = { absolute: 0.5, relative: 0.25 };

const labels = (...data: string[]): Tensor => ({ name: 'label', datatype: 'BYTES', shape: [data.length], data });
const compareOne = (from: Tensor, to: Tensor, tolerance = EXACT) => compareOutputs([from], [to], tolerance)[0];

describe('outputs compared', () => {
  test('with themselves agree exactly, whatever they hold', () => {
    fc.assert(
      fc.property(anyTensor(), (tensor) => {
        expect(compareOne(tensor, tensor)).toMatchObject({ name: tensor.name, agrees: true });
      }),
    );
  });

  test('agree up to the tolerance of what the first answered, and not beyond', () => {
    // 0.5 + 0.25 × |4| = 1.5.
    expect(compareOne(floats('y', [1], [4]), floats('y', [1], [5.5]), LOOSE)).toEqual({
      kind: 'numbers',
      name: 'y',
      agrees: true,
      largest: 1.5,
    });
    expect(compareOne(floats('y', [1], [4]), floats('y', [1], [5.5001]), LOOSE)).toMatchObject({ agrees: false });
    expect(compareOne(floats('y', [2], [-8, 0]), floats('y', [2], [-10.5, 0.5]), LOOSE)).toMatchObject({
      agrees: true,
      largest: 2.5,
    });
  });

  test('with NaN agree where it is NaN too, with infinities where they are the same', () => {
    const odd = floats('y', [3], [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]);
    expect(compareOne(odd, odd)).toMatchObject({ agrees: true, largest: 0 });
    for (const data of [
      [0, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY],
      [Number.NaN, 1, Number.NEGATIVE_INFINITY],
      [Number.NaN, Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY],
    ]) {
      const expected = { kind: 'incomparable', of: 'numbers', name: 'y', agrees: false };
      expect(compareOne(odd, floats('y', [3], data), LOOSE)).toEqual(expected);
      expect(compareOne(floats('y', [3], data), odd, LOOSE)).toEqual(expected);
    }
  });

  test('in half precision are the numbers that the bits stand for', () => {
    const half = (bits: number): Tensor => ({ name: 'h', datatype: 'FP16', shape: [1], data: Uint16Array.of(bits) });
    // 1 and 2.
    expect(compareOne(half(0x3c00), half(0x4000))).toMatchObject({ kind: 'numbers', largest: 1, agrees: false });
  });

  test('that are texts, whole numbers or booleans agree if they are the same, and tell what became what', () => {
    expect(compareOne(labels('a', 'b', 'a'), labels('a', 'a', 'c'), LOOSE)).toEqual({
      kind: 'labels',
      name: 'label',
      agrees: false,
      labels: 3,
      changes: [
        ['b', 'a'],
        ['a', 'c'],
      ],
    });
    const ids = (...data: bigint[]): Tensor => ({
      name: 'id',
      datatype: 'INT64',
      shape: [data.length],
      data: BigInt64Array.from(data),
    });
    // As numbers they would be the same: 2^53 and the next.
    expect(compareOne(ids(2n ** 53n), ids(2n ** 53n + 1n), LOOSE)).toMatchObject({ kind: 'labels', agrees: false });
  });

  test('that are missing, or of another shape or type, cannot be compared; those that are new are not looked at', () => {
    const y = floats('y', [2, 1], [1, 2]);
    expect(compareOutputs([y], [], LOOSE)).toMatchObject([{ kind: 'incomparable', agrees: false }]);
    expect(compareOne(y, floats('y', [1, 2], [1, 2]))).toMatchObject({ kind: 'incomparable' });
    expect(compareOne({ ...labels('1'), name: 'y' }, floats('y', [1], [1]))).toMatchObject({ of: 'labels' });
    expect(compareOutputs([y], [labels('new'), y], EXACT)).toHaveLength(1);
    expect(compareOutputs([], [y], EXACT)).toEqual([]);
  });
});
