import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { nested, tensor, texts } from '../../clients/typescript/tensors.ts';
import { decodeTensor } from '../../core/api/oip-json.ts';

describe('a tensor', () => {
  test('has the shape of its array', () => {
    expect(tensor('x', 'FP32', [[1, 2, 3], [4, 5, 6]])).toEqual({ name: 'x', datatype: 'FP32', shape: [2, 3], data: [1, 2, 3, 4, 5, 6] }); // biome-ignore format: as the shape
    expect(tensor('x', 'INT32', [[[1]], [[2]]]).shape).toEqual([2, 1, 1]);
    expect(texts('text', ['a', 'b'])).toEqual({ name: 'text', datatype: 'BYTES', shape: [2], data: ['a', 'b'] });
  });

  test('has the shape that it is given, if its data fills that', () => {
    expect(tensor('x', 'FP32', Float32Array.of(1, 2, 3, 4), [2, 2])).toMatchObject({
      shape: [2, 2],
      data: [1, 2, 3, 4],
    });
    expect(() => tensor('x', 'FP32', [1, 2, 3], [2, 2])).toThrow(RangeError);
    expect(() => tensor('x', 'FP32', [[1, 2], [3]])).toThrow(RangeError);
    expect(() => tensor('x', 'FP32', [[1], 2])).toThrow(RangeError);
    expect(() => tensor('x', 'FP32', [1, [2]])).toThrow(RangeError);
  });

  test('carries every element to the server as it was', () => {
    const whole = BigInt64Array.of(-(2n ** 63n), -1n, 0n, 2n ** 53n - 1n, 2n ** 53n, 2n ** 63n - 1n);
    expect(overJson(tensor('x', 'INT64', whole)).data).toEqual(whole);
    const floats = Float32Array.of(Number.NaN, -1.5, 3e38, 1e-45, 0);
    expect(overJson(tensor('x', 'FP32', floats)).data).toEqual(floats);
    expect(overJson(tensor('x', 'BOOL', [true, false])).data).toEqual(Uint8Array.of(1, 0));
    fc.assert(
      fc.property(fc.float64Array(), (data) => {
        fc.pre(data.every((value) => !Object.is(value, -0) && Math.abs(value) !== Number.POSITIVE_INFINITY));
        expect(overJson(tensor('x', 'FP64', data)).data).toEqual(data);
      }),
    );
  });
});

test('the elements of an output are nested as its shape says', () => {
  expect(nested({ shape: [2, 3], data: [1, 2, 3, 4, 5, 6] })).toEqual([[1, 2, 3], [4, 5, 6]]); // biome-ignore format: as the shape
  expect(nested({ shape: [2, 1, 2], data: ['a', 'b', 'c', 'd'] })).toEqual([[['a', 'b']], [['c', 'd']]]);
  expect(nested({ shape: [3], data: [1, null, 3] })).toEqual([1, null, 3]);
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 4 }), (shape) => {
      const data = Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, at) => at);
      expect(tensor('x', 'INT32', nested({ shape, data }))).toMatchObject({ shape, data });
    }),
  );
});

/** What the server reads. */
function overJson(sent: object) {
  return decodeTensor(JSON.parse(JSON.stringify(sent)), 'inputs[0]');
}
