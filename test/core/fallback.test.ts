import { describe, expect, test } from 'vitest';
import { STATUS } from '../../core/api/problem.ts';
import { Failure, type FailureCode } from '../../core/failure.ts';
import { degradationFor } from '../../core/inference/degradation.ts';
import { compileFixedAnswer } from '../../core/inference/fixed-answer.ts';
import type { Datatype } from '../../core/inference/tensor.ts';
import { checkFallbackModel } from '../../core/models/check-fallback.ts';
import { checkAgainstSignature } from '../../core/models/check-manifest.ts';
import { type Fallback, manifestSchema } from '../../core/models/manifest.ts';
import type { Dimension, Signature } from '../../core/models/signature.ts';
import { aVersion } from '../support/jobs.ts';

type Spec = readonly [name: string, datatype: Datatype, shape: Dimension[]];
type Outputs = Extract<Fallback, { outputs: unknown }>['outputs'];

const toTensors = (specs: readonly Spec[]) => specs.map(([name, datatype, shape]) => ({ name, datatype, shape }));
const X: Spec = ['x', 'FP32', ['batch', 4]];

function signature(outputs: readonly Spec[], inputs: readonly Spec[] = [X]): Signature {
  return { inputs: toTensors(inputs), outputs: toTensors(outputs) };
}

function problemsOf(outputs: Outputs, specs: readonly Spec[]): readonly string[] {
  try {
    checkAgainstSignature(manifestSchema.parse({ name: 'm', fallback: { outputs } }), signature(specs));
    return [];
  } catch (error) {
    expect(error).toMatchObject({ code: 'manifest-invalid' });
    return (error as Failure).facts.problems as string[];
  }
}

function answerOf(outputs: Outputs, specs: readonly Spec[], rows: number, names?: readonly string[]) {
  const version = aVersion({ signature: signature(specs), manifest: { fallback: { outputs } } });
  return compileFixedAnswer(version)!(rows, names).map(({ data, ...rest }) => ({
    ...rest,
    data: Array.from(data as ArrayLike<unknown>),
  }));
}

describe('a fixed answer is refused', () => {
  test('with every problem at once', () => {
    const specs: Spec[] = [
      ['label', 'BYTES', ['batch', 1]],
      ['scores', 'FP32', ['batch', 3]],
      ['ids', 'UINT8', ['batch']],
      ['grid', 'FP32', ['batch', 'h', 'w']],
      ['tokens', 'FP32', ['batch', 'length', 4]],
      ['missing', 'FP32', ['batch']],
    ];
    const outputs = {
      label: ['a', 'b'],
      scores: [1, Number.MAX_VALUE, 2],
      ids: [256],
      grid: [1],
      tokens: [1, 2, 3, 4, 5],
      typo: [1],
    };
    expect(problemsOf(outputs, specs)).toEqual([
      'fallback.outputs.typo: the model has no such output; it has label, scores, ids, grid, tokens, missing',
      'fallback.outputs.label: takes 1 elements, not 2',
      'fallback.outputs.scores: element 1 is no FP32',
      'fallback.outputs.ids: element 0 is no UINT8',
      'fallback.outputs.grid: has several free dimensions, so that its elements fit no one shape',
      'fallback.outputs.tokens: takes a multiple of 4 elements, not 5',
      'fallback.outputs.missing: is missing: a fixed answer has every output',
    ]);
  });

  test.each([
    ['BYTES', 1],
    ['BYTES', 'a\0b'],
    ['BOOL', 1],
    ['FP32', '1'],
    ['FP32', true],
    ['INT64', 1.5],
    ['INT64', '9223372036854775808'],
    ['UINT64', -1],
    ['INT8', 128],
  ] as const)('for %s with %j', (datatype, element) => {
    expect(problemsOf({ y: [element] }, [['y', datatype, ['batch']]])).toEqual([
      `fallback.outputs.y: element 0 is no ${datatype}`,
    ]);
  });

  test('for no name that every object has', () => {
    expect(
      problemsOf({ y: [1] }, [
        ['y', 'FP32', ['batch']],
        ['toString', 'FP32', ['batch']],
      ]).length,
    ).toBe(1);
  });
});

describe('a fixed answer', () => {
  test('repeats a row of each datatype as the signature has it', () => {
    const specs: Spec[] = [
      ['label', 'BYTES', ['batch', 1]],
      ['scores', 'FP32', ['batch', 2]],
      ['id', 'INT64', ['batch']],
      ['flag', 'BOOL', ['batch']],
    ];
    const outputs = { label: ['none'], scores: [0.5, 0.25], id: ['9223372036854775807'], flag: [true] };
    expect(problemsOf(outputs, specs)).toEqual([]);
    expect(answerOf(outputs, specs, 2)).toEqual([
      { name: 'label', datatype: 'BYTES', shape: [2, 1], data: ['none', 'none'] },
      { name: 'scores', datatype: 'FP32', shape: [2, 2], data: [0.5, 0.25, 0.5, 0.25] },
      { name: 'id', datatype: 'INT64', shape: [2], data: [2n ** 63n - 1n, 2n ** 63n - 1n] },
      { name: 'flag', datatype: 'BOOL', shape: [2], data: [1, 1] },
    ]);
    expect(answerOf(outputs, specs, 1, ['flag', 'label']).map(({ name }) => name)).toEqual(['flag', 'label']);
  });

  test.each([
    ['a free length is as long as its elements fill it', ['batch', 'length', 2], [1, 2, 3, 4], 3, [3, 2, 2], 12],
    ['what has no rows is given once', [1, 2], [1, 2], 3, [1, 2], 2],
    ['a scalar is one element', [], [5], 3, [], 1],
  ] as const)('%s', (_, shape, elements, rows, expected, count) => {
    const specs: Spec[] = [['y', 'FP32', [...shape]]];
    expect(problemsOf({ y: [...elements] }, specs)).toEqual([]);
    const [tensor] = answerOf({ y: [...elements] }, specs, rows);
    expect(tensor!.shape).toEqual(expected);
    expect(tensor!.data.length).toBe(count);
  });
});

describe('a fallback model', () => {
  const OWN = signature([['y', 'FP32', ['batch', 77]]], [X, ['mask', 'INT64', ['batch', 'length']]]);
  const MANIFEST = manifestSchema.parse({ name: 'm', fallback: { model: 'small' } });
  const check = (target: Signature) => checkFallbackModel(MANIFEST, OWN, target);

  test('takes what the model takes, and gives what it gives, in lengths of its own', () => {
    expect(check(OWN)).toEqual([]);
    const wider: Spec[] = [
      ['mask', 'INT64', ['', '']],
      ['x', 'FP32', ['rows', 'any']],
    ];
    expect(
      check(
        signature(
          [
            ['y', 'FP32', ['rows', 5]],
            ['more', 'BYTES', ['rows']],
          ],
          wider,
        ),
      ),
    ).toEqual([]);
  });

  test('is refused with every problem otherwise', () => {
    const inputs: Spec[] = [
      ['x', 'FP32', ['batch', 5]],
      ['mask', 'INT32', ['batch', 'length']],
      ['extra', 'FP32', ['batch']],
    ];
    expect(check(signature([['z', 'FP32', ['batch']]], inputs))).toEqual([
      'fallback.model: small needs an input extra that this model has not',
      'fallback.model: small takes x as [batch, 5], not [batch, 4]',
      'fallback.model: small takes mask as INT32, not INT64',
      'fallback.model: small has no output y',
    ]);
    expect(check(signature([['y', 'FP64', ['batch', 77]]], [X]))).toEqual([
      'fallback.model: small has no input mask',
      'fallback.model: small gives y as FP64, not FP32',
    ]);
    expect(check(signature([['y', 'FP32', ['batch', 77]]], [X, ['mask', 'INT64', ['batch', 8]]]))).toEqual([
      'fallback.model: small takes mask as [batch, 8], not [batch, length]',
    ]);
  });

  test('is nothing to check where the answer is fixed or there is none', () => {
    const fixed = manifestSchema.parse({ name: 'm', fallback: { outputs: { y: [1] } } });
    for (const manifest of [fixed, manifestSchema.parse({ name: 'm' })]) {
      expect(checkFallbackModel(manifest, OWN, signature([]))).toEqual([]);
    }
  });
});

test('no failure that is the caller’s is answered for: not one of 401 to 429 but an input that crashed the model before', () => {
  const codes = Object.keys(STATUS) as FailureCode[];
  const answered = codes.filter((code) => degradationFor(new Failure(code)) !== undefined);
  expect(answered.filter((code) => STATUS[code] < 500)).toEqual(['input-quarantined']);
  expect(degradationFor(new Error('broken'))).toBeUndefined();
});
