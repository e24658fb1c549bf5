import { describe, expect, test } from 'vitest';
import type { Datatype, Tensor } from '../../../core/inference/tensor.ts';
import type { Dimension } from '../../../core/models/signature.ts';
import { compileLabelReader } from '../../../core/quality/row-labels.ts';

type Spec = readonly [name: string, datatype: Datatype, shape: Dimension[]];

const readerOf = (...outputs: Spec[]) =>
  compileLabelReader({ outputs: outputs.map(([name, datatype, shape]) => ({ name, datatype, shape })) });

const tensor = (name: string, datatype: Datatype, shape: number[], data: Tensor['data']): Tensor => ({
  name,
  datatype,
  shape,
  data,
});

const LABEL: Spec = ['label', 'BYTES', ['n']];
const SHARES: Spec = ['probabilities', 'FP32', ['n', 3]];
const shares = (...data: number[]) => tensor('probabilities', 'FP32', [data.length / 3, 3], Float32Array.from(data));

function rowsOf(reader: ReturnType<typeof readerOf>, outputs: Tensor[], rows: number) {
  const found = reader?.(outputs, rows);
  return Array.from({ length: rows }, (_, row) => [found?.labelAt(row), found?.confidenceAt(row)]);
}

describe('labels are read', () => {
  test('with the greatest probability of their row', () => {
    const label = tensor('label', 'BYTES', [2], ['good', 'bad']);
    const outputs = [shares(0.25, 0.5, 0.125, 1, 0, 0), label];
    expect(rowsOf(readerOf(LABEL, SHARES), outputs, 2)).toEqual([
      ['good', 0.5],
      ['bad', 1],
    ]);
  });

  test('of whole numbers without probabilities, of one column too', () => {
    const data = BigInt64Array.of(2n ** 62n, -1n);
    const outputs = [tensor('output_label', 'INT64', [2, 1], data)];
    expect(rowsOf(readerOf(['output_label', 'INT64', ['n', 1]]), outputs, 2)).toEqual([
      [String(2n ** 62n), undefined],
      ['-1', undefined],
    ]);
  });

  test('as the index of the greatest probability where there is no label', () => {
    expect(rowsOf(readerOf(SHARES), [shares(0, 0.25, 0.75)], 1)).toEqual([['2', 0.75]]);
  });

  test('cut to 64 characters', () => {
    const label = tensor('label', 'BYTES', [1], ['x'.repeat(1000)]);
    expect(rowsOf(readerOf(LABEL, SHARES), [label, shares(1, 0, 0)], 1)[0]![0]).toBe('x'.repeat(64));
  });

  test.each([
    ['not a number', Number.NaN, undefined],
    ['far above 1', 1.5, undefined],
    ['below 0', -0.5, undefined],
    ['above 1 by rounding', 1 + 1e-6, 1],
  ])('with a confidence that is %s: what can be told', (_, share, confidence) => {
    const [row] = rowsOf(readerOf(SHARES), [shares(share, share, share)], 1);
    expect(row![1]).toBe(confidence);
  });
});

describe('a model does not classify', () => {
  test.each<[string, Spec[]]>([
    ['whose label is text without probabilities: it may be made of what one caller wrote', [LABEL]],
    ['whose label has several elements a row', [['label', 'INT64', ['n', 2]]]],
    ['whose label is a fraction', [['label', 'FP32', ['n']]]],
    ['whose probabilities are of no fixed number of classes', [LABEL, ['probabilities', 'FP32', ['n', 'k']]]],
    ['of one class', [['probabilities', 'FP32', ['n', 1]]]],
    ['of more classes than are counted', [['probabilities', 'FP32', ['n', 513]]]],
    ['whose outputs have other names', [['y', 'FP32', ['n', 3]]]],
  ])('%s', (_, outputs) => {
    expect(readerOf(...outputs)).toBeUndefined();
  });

  test('while its outputs are not what its signature says', () => {
    expect(readerOf(SHARES)!([shares(0, 0, 1)], 2)).toBeUndefined();
    expect(readerOf(SHARES)!([], 1)).toBeUndefined();
  });
});
