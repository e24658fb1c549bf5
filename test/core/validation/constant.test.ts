import { describe, expect, test } from 'vitest';
import type { Signature } from '../../../core/models/signature.ts';
import { checkOf, type FakeModel, fp32, int64, perRow, rowsIn, validateFake } from '../../support/fake-sandbox.ts';

const ONE_IN_ALL_OUT: FakeModel = { answer: perRow(() => 7) };

/** A class for every row and nothing else. */
const classes = (classOf: (x: number) => number): FakeModel => ({
  signature: {
    inputs: [{ name: 'x', datatype: 'FP32', shape: ['batch', 1] }],
    outputs: [{ name: 'class', datatype: 'INT64', shape: ['batch'] }],
  },
  answer: ([x]) => [
    int64(
      'class',
      [x!.shape[0]!],
      rowsIn(x!).map(([value]) => classOf(value!)),
    ),
  ],
});

const pair = (x: number) => ({ inputs: [fp32('x', [1, 1], [x])], outputs: [int64('class', [1], [1])] });

describe('a model that answers the same to everything', () => {
  test('is refused, though its golden pairs agree', async () => {
    const golden = [1, 2, 3].map((x) => ({ inputs: [fp32('x', [1, 1], [x])], outputs: [fp32('y', [1, 1], [7])] }));
    const { failure, checks } = await validateFake({ model: ONE_IN_ALL_OUT, golden });
    expect(failure).toMatchObject({ code: 'model-constant' });
    expect(checkOf({ checks }, 'golden')?.outcome).toBe('passed');
    expect(checkOf({ checks }, 'constant')).toMatchObject({
      outcome: 'refused',
      advice: expect.stringContaining('mayBeConstant'),
    });
  });

  test('is refused if that is NaN', async () => {
    const { failure } = await validateFake({ model: { answer: perRow(() => Number.NaN) } });
    expect(failure).toMatchObject({ code: 'model-constant' });
  });

  test('is taken if its manifest says that it may', async () => {
    const { validated } = await validateFake({ model: ONE_IN_ALL_OUT, manifest: { mayBeConstant: true } });
    expect(checkOf(validated!.validation, 'constant')?.outcome).toBe('passed');
  });

  test('is a warning if it answers classes and only made-up inputs say so', async () => {
    const { validated } = await validateFake({ model: classes(() => 1), golden: [pair(1)] });
    expect(checkOf(validated!.validation, 'constant')).toMatchObject({ outcome: 'warning' });
    const { failure } = await validateFake({ model: classes(() => 1), golden: [pair(1), pair(2), pair(3)] });
    expect(failure).toMatchObject({ code: 'model-constant' });
  });
});

describe('a model that tells its inputs apart', () => {
  test('passes, if by one golden pair alone', async () => {
    const { validated } = await validateFake({
      model: classes((x) => (x === 12 ? 2 : 1)),
      golden: [{ ...pair(12), outputs: [int64('class', [1], [2])] }],
    });
    expect(checkOf(validated!.validation, 'constant')?.outcome).toBe('passed');
  });

  test('cannot be told from a constant one by fewer than three inputs', async () => {
    const onlyTwo: FakeModel = { answer: ([x]) => (rowsIn(x!).every(([v]) => v === 0 || v === 1) ? [x!] : 'refuses') };
    const inputs = { x: { min: 0, max: 0 } };
    const { validated } = await validateFake({ model: onlyTwo, manifest: { inputs } });
    expect(checkOf(validated!.validation, 'constant')).toMatchObject({ outcome: 'skipped' });
  });
});

describe('inputs to look at a model with', () => {
  test('are tried in several lengths until one is answered', async () => {
    const signature: Signature = {
      inputs: [{ name: 'x', datatype: 'FP32', shape: ['batch', 'width'] }],
      outputs: [{ name: 'y', datatype: 'FP32', shape: ['batch', 1] }],
    };
    const fourWide = {
      signature,
      answer: (inputs: Parameters<FakeModel['answer']>[0]) =>
        inputs[0]!.shape[1] === 4 ? perRow((row) => row[0]! + row[3]!)(inputs) : 'refuses',
    } as const;
    const { validated } = await validateFake({ model: fourWide });
    expect(checkOf(validated!.validation, 'constant')?.outcome).toBe('passed');
    expect(checkOf(validated!.validation, 'probes')?.advice).toContain('No other length than 4');
  });

  test('of which none is answered say that golden pairs are needed', async () => {
    const { failure } = await validateFake({ model: { answer: () => 'refuses' } });
    expect(failure).toMatchObject({
      code: 'model-invalid',
      facts: { advice: expect.stringContaining('golden pairs') },
    });
    expect((failure as Error).message).toContain('Gather node lookup');
    expect((failure as Error).message).not.toContain('31337');
  });

  test.each([
    ['crashes', 'model-crashes'],
    ['hangs', 'validation-timeout'],
  ] as const)('that are ordinary and on which it %s refuse it with %s', async (ending, code) => {
    expect((await validateFake({ model: { answer: () => ending } })).failure).toMatchObject({ code });
  });
});
