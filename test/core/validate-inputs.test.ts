import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { InferRequest } from '../../core/inference/request.ts';
import { allocate, type Datatype, elementCount, type Tensor, type TensorData } from '../../core/inference/tensor.ts';
import { compileValidator } from '../../core/inference/validate-inputs.ts';
import { manifestSchema } from '../../core/models/manifest.ts';
import type { Dimension, TensorSignature } from '../../core/models/signature.ts';
import type { ModelVersion } from '../../core/models/version.ts';
import { expectFailure } from '../support/failures.ts';

type Spec = readonly [name: string, datatype: Datatype, shape: Dimension[]];

function validator(
  inputs: readonly Spec[],
  manifest: object = {},
  outputs: readonly Spec[] = [['y', 'FP32', ['', 3]]],
) {
  const toSignature = ([name, datatype, shape]: Spec): TensorSignature => ({ name, datatype, shape });
  const version = {
    model: 'm',
    version: '1',
    signature: { inputs: inputs.map(toSignature), outputs: outputs.map(toSignature) },
    manifest: manifestSchema.parse({ name: 'm', ...manifest }),
  } as ModelVersion;
  return compileValidator(version);
}

function zeros(name: string, datatype: Datatype, shape: number[], data?: TensorData): Tensor {
  return { name, datatype, shape, data: data ?? allocate(datatype, elementCount(shape)) };
}

function request(inputs: Tensor[], outputs?: string[]): InferRequest {
  return {
    clientId: undefined,
    inputs,
    outputs: outputs?.map((name) => ({ name, binary: false })),
    binaryByDefault: false,
    timeoutMs: undefined,
  };
}

const TOKENS: readonly Spec[] = [
  ['ids', 'INT64', ['batch', 'sequence']],
  ['mask', 'INT64', ['batch', 'sequence']],
];

describe('inputs', () => {
  it('that fit are counted in rows and length', () => {
    const validate = validator(TOKENS);
    const inputs = [zeros('mask', 'INT64', [4, 7]), zeros('ids', 'INT64', [4, 7])];
    expect(validate(request(inputs))).toEqual({ inputs, rows: 4, length: 7, outputs: undefined });
    expect(validator([['x', 'FP32', ['', 13]]])(request([zeros('x', 'FP32', [5, 13])]))).toMatchObject({
      rows: 5,
      length: 1,
    });
  });

  it('of a model with a fixed first dimension are one row', () => {
    const validate = validator([['x', 'FP32', [1, 1, 28, 28]]], {}, [['y', 'FP32', [1, 10]]]);
    expect(validate(request([zeros('x', 'FP32', [1, 1, 28, 28])]))).toMatchObject({ rows: 1, length: 1 });
    expectFailure(() => validate(request([zeros('x', 'FP32', [2, 1, 28, 28])])), 'shape-mismatch', {
      field: 'inputs[0].shape',
      expected: '[1,1,28,28]',
      got: '[2,1,28,28]',
    });
  });

  it('of a model that pools its rows count them all the same', () => {
    const validate = validator([['x', 'FP32', ['n', 2]]], {}, [['mean', 'FP32', [2]]]);
    expect(validate(request([zeros('x', 'FP32', [6, 2])]))).toMatchObject({ rows: 6 });
  });

  it('may be scalars', () => {
    const validate = validator([['x', 'FP32', []]], {}, [['y', 'FP32', []]]);
    expect(validate(request([zeros('x', 'FP32', [])]))).toMatchObject({ rows: 1, length: 1 });
  });

  it('must all be there, and no others', () => {
    const validate = validator(TOKENS);
    expectFailure(() => validate(request([zeros('ids', 'INT64', [1, 2])])), 'input-missing', { missing: ['mask'] });
    expectFailure(() => validate(request([])), 'input-missing', { missing: ['ids', 'mask'] });
    const foreign = zeros('__proto__', 'INT64', [1, 2]);
    expectFailure(() => validate(request([zeros('ids', 'INT64', [1, 2]), foreign])), 'input-unknown', {
      field: 'inputs[1].name',
      known: ['ids', 'mask'],
    });
  });

  it('must have the datatype and rank of the graph', () => {
    const validate = validator([['x', 'FP32', ['', 2]]]);
    expectFailure(() => validate(request([zeros('x', 'FP64', [1, 2])])), 'datatype-mismatch', {
      field: 'inputs[0].datatype',
      expected: 'FP32',
      got: 'FP64',
    });
    for (const shape of [[2], [1, 2, 1], [], [1, 3]]) {
      expectFailure(() => validate(request([zeros('x', 'FP32', shape)])), 'shape-mismatch', { expected: '[-1,2]' });
    }
  });

  it('must agree on free dimensions of one name, and on rows', () => {
    const validate = validator(TOKENS);
    const pair = (a: number[], b: number[]) => () =>
      validate(request([zeros('ids', 'INT64', a), zeros('mask', 'INT64', b)]));
    expectFailure(pair([2, 7], [2, 8]), 'shape-mismatch', { field: 'inputs[1].shape' });
    expectFailure(pair([2, 7], [3, 7]), 'shape-mismatch', { field: 'inputs[1].shape' });
    const unnamed = validator([
      ['a', 'FP32', ['', 2]],
      ['b', 'FP32', ['', '']],
    ]);
    expectFailure(() => unnamed(request([zeros('a', 'FP32', [2, 2]), zeros('b', 'FP32', [3, 1])])), 'shape-mismatch');
    expect(unnamed(request([zeros('a', 'FP32', [2, 2]), zeros('b', 'FP32', [2, 9])]))).toMatchObject({
      rows: 2,
      length: 9,
    });
  });

  it('must have rows and length, and no more than the limits', () => {
    const validate = validator([['x', 'INT64', ['', '']]], { limits: { maxRows: 4, maxLength: 6 } });
    const sized = (shape: number[]) => () => validate(request([zeros('x', 'INT64', shape)]));
    expect(sized([4, 6])()).toMatchObject({ rows: 4, length: 6 });
    expectFailure(sized([5, 1]), 'input-too-large', { field: 'inputs[0].shape', limit: 4, got: 5 });
    expectFailure(sized([1, 7]), 'input-too-large', { limit: 6, got: 7 });
    expectFailure(sized([0, 3]), 'shape-mismatch');
    expectFailure(sized([3, 0]), 'shape-mismatch');
  });
});

describe('elements', () => {
  const rules = { inputs: { x: { min: 0, max: 99.5 } } };

  it.each<[Datatype, TensorData, number]>([
    ['INT64', BigInt64Array.of(0n, 99n, 100n), 2],
    ['INT64', BigInt64Array.of(0n, -1n, 1n), 1],
    ['UINT64', BigUint64Array.of(2n ** 64n - 1n), 0],
    ['INT32', Int32Array.of(-1), 0],
    ['UINT8', Uint8Array.of(99, 100), 1],
    ['FP32', Float32Array.of(99.5, 99.51), 1],
    ['FP64', Float64Array.of(-1e-9), 0],
    ['FP16', Uint16Array.of(0x3c00, 0xbc00), 1],
  ])('of %s outside the range are refused by index, without the value', (datatype, data, index) => {
    const validate = validator([['x', datatype, ['']]], rules);
    expectFailure(() => validate(request([zeros('x', datatype, [data.length], data)])), 'value-out-of-range', {
      field: 'inputs[0].data',
      index,
      min: 0,
      max: 99.5,
    });
    expect(validate(request([zeros('x', datatype, [2])]))).toMatchObject({ rows: 2 });
  });

  it('have a range of one side if only one is given', () => {
    const validate = validator([['x', 'INT64', ['']]], { inputs: { x: { min: -5 } } });
    expect(validate(request([zeros('x', 'INT64', [1], BigInt64Array.of(2n ** 63n - 1n))]))).toMatchObject({ rows: 1 });
    expectFailure(() => validate(request([zeros('x', 'INT64', [1], BigInt64Array.of(-6n))])), 'value-out-of-range', {
      min: -5,
    });
  });

  it.each<[Datatype, TensorData]>([
    ['FP32', Float32Array.of(1, Number.NaN)],
    ['FP32', Float32Array.of(1, Number.NEGATIVE_INFINITY)],
    ['FP64', Float64Array.of(1, Number.POSITIVE_INFINITY)],
    ['FP16', Uint16Array.of(0x3c00, 0x7e00)],
    ['FP16', Uint16Array.of(0x3c00, 0x7c00)],
  ])('of %s that are not finite are refused unless the manifest allows them', (datatype, data) => {
    const sent = request([zeros('x', datatype, [2], data)]);
    expectFailure(() => validator([['x', datatype, ['']]])(sent), 'value-not-finite', {
      field: 'inputs[0].data',
      index: 1,
    });
    const lenient = validator([['x', datatype, ['']]], { inputs: { x: { allowNotFinite: true } } });
    expect(lenient(sent)).toMatchObject({ rows: 2 });
  });

  it('that are NaN pass a range where NaN is allowed, infinities do not', () => {
    const validate = validator([['x', 'FP32', ['']]], { inputs: { x: { allowNotFinite: true, min: 0, max: 1 } } });
    expect(validate(request([zeros('x', 'FP32', [1], Float32Array.of(Number.NaN))]))).toMatchObject({ rows: 1 });
    const infinite = request([zeros('x', 'FP32', [1], Float32Array.of(Number.POSITIVE_INFINITY))]);
    expectFailure(() => validate(infinite), 'value-out-of-range');
  });

  it('of text may be as long as the manifest says', () => {
    const texts = (...data: string[]) => request([zeros('t', 'BYTES', [data.length], data)]);
    const validate = validator([['t', 'BYTES', ['']]], { inputs: { t: { maxLength: 3 } } });
    expect(validate(texts('abc', ''))).toMatchObject({ rows: 2 });
    expectFailure(() => validate(texts('abc', 'abcd')), 'text-invalid', { index: 1, maxLength: 3 });
    const standard = validator([['t', 'BYTES', ['']]]);
    expect(standard(texts('x'.repeat(10_000)))).toMatchObject({ rows: 1 });
    expectFailure(() => standard(texts('x'.repeat(10_001))), 'text-invalid');
  });
});

describe('requested outputs', () => {
  const outputs: readonly Spec[] = [
    ['a', 'FP32', ['']],
    ['b', 'FP32', ['']],
  ];
  const x = zeros('x', 'INT64', [1]);

  it('come in the order asked for', () => {
    const validate = validator([['x', 'INT64', ['']]], {}, outputs);
    expect(validate(request([x], ['b', 'a'])).outputs).toEqual(['b', 'a']);
    expect(validate(request([x])).outputs).toBeUndefined();
  });

  it('must be the graph’s', () => {
    const validate = validator([['x', 'INT64', ['']]], {}, outputs);
    expectFailure(() => validate(request([x], ['a', 'c'])), 'output-unknown', {
      field: 'outputs[1].name',
      known: ['a', 'b'],
    });
  });
});

it('accepts exactly the shapes that bind every free name to one size within the limits', () => {
  const validate = validator(
    [
      ['p', 'INT32', ['n', 's']],
      ['q', 'INT32', ['n', 2, 's']],
    ],
    { limits: { maxRows: 3, maxLength: 3 } },
    [['y', 'FP32', ['n']]],
  );
  const size = fc.integer({ min: 0, max: 4 });
  fc.assert(
    fc.property(fc.tuple(size, size), fc.tuple(size, size, size), (p, q) => {
      const good =
        p[0] === q[0] && q[1] === 2 && p[1] === q[2] && p.every((dimension) => dimension >= 1 && dimension <= 3);
      const act = () => validate(request([zeros('p', 'INT32', p), zeros('q', 'INT32', q)]));
      if (good) expect(act()).toMatchObject({ rows: p[0], length: Math.max(p[1], 1), outputs: undefined });
      else expect(act).toThrow();
    }),
    { numRuns: 3000 },
  );
});
