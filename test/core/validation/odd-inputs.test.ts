import { describe, expect, test } from 'vitest';
import type { Signature } from '../../../core/models/signature.ts';
import { checkOf, type FakeModel, fp32, perRow, rowsIn, validateFake } from '../../support/fake-sandbox.ts';

const ALLOWED = { inputs: { x: { allowNotFinite: true } } };
const plain: FakeModel = { answer: perRow(([x]) => 2 * x!) };
/** NaN anywhere makes every answer NaN. */
const spreading: FakeModel = {
  answer: perRow((row, rows) => (rows.flat().some((x) => !Number.isFinite(x)) ? Number.NaN : row[0]!)),
};
const onNaN = (ending: 'crashes' | 'hangs' | 'refuses'): FakeModel => ({
  answer: (inputs) => (rowsIn(inputs[0]!).flat().some(Number.isNaN) ? ending : plain.answer(inputs)),
});

describe('NaN and infinities', () => {
  test('that stay in their row change nothing', async () => {
    const { validated } = await validateFake({ model: plain, manifest: ALLOWED });
    expect(checkOf(validated!.validation, 'not-finite')).toMatchObject({ outcome: 'passed' });
    expect(validated!.validation.batchMates.verdict).toBe('independent');
  });

  test('that reach other rows make a model that allows them one whose mates matter', async () => {
    const { validated } = await validateFake({ model: spreading, manifest: ALLOWED });
    expect(checkOf(validated!.validation, 'not-finite')).toMatchObject({
      outcome: 'warning',
      advice: expect.stringContaining('allowNotFinite'),
    });
    expect(validated!.validation.batchMates.verdict).toBe('mate-dependent');
    expect(checkOf(validated!.validation, 'batch-mates')?.detail).toContain(
      'never batched across tenants, because NaN',
    );
  });

  test('that reach other rows are only told where the gateway refuses them', async () => {
    const { validated } = await validateFake({ model: spreading });
    expect(checkOf(validated!.validation, 'not-finite')).toMatchObject({ outcome: 'passed' });
    expect(checkOf(validated!.validation, 'not-finite')?.detail).toContain('would change the answers of other rows');
    expect(validated!.validation.batchMates.verdict).toBe('independent');
  });

  test.each([
    ['crashes', 'model-crashes'],
    ['hangs', 'validation-timeout'],
  ] as const)('on which it %s refuse a model that allows them, and no other', async (ending, code) => {
    const refused = await validateFake({ model: onNaN(ending), manifest: ALLOWED });
    expect(refused.failure).toMatchObject({
      code,
      facts: { input: 'x', advice: expect.stringContaining('allowNotFinite') },
    });
    const { validated, loads } = await validateFake({ model: onNaN(ending) });
    expect(validated).toBeDefined();
    expect(loads).toBe(2);
  });

  test('outside min and max are not tried where NaN is allowed', async () => {
    const { runs } = await validateFake({
      model: plain,
      manifest: { inputs: { x: { allowNotFinite: true, max: 5 } } },
    });
    const values = runs.flatMap((inputs) => [...(inputs[0]!.data as Float32Array)]);
    expect(values.some(Number.isNaN)).toBe(true);
    expect(values).toContain(Number.NEGATIVE_INFINITY);
    expect(values).not.toContain(Number.POSITIVE_INFINITY);
  });
});

describe('empty inputs', () => {
  const sequences: Signature = {
    inputs: [{ name: 'x', datatype: 'FP32', shape: ['batch', 'sequence'] }],
    outputs: [{ name: 'y', datatype: 'FP32', shape: ['batch', 1] }],
  };

  test.each([
    ['crashes', 'would end the process'],
    ['hangs', 'would run without end'],
    ['refuses', 'would be refused cleanly'],
  ] as const)('on which it %s are told and refuse nothing', async (ending, words) => {
    const model: FakeModel = {
      signature: sequences,
      answer: (inputs) => (inputs[0]!.data.length === 0 ? ending : perRow((row) => row[0]!)(inputs)),
    };
    const { validated } = await validateFake({ model });
    const { outcome, detail } = checkOf(validated!.validation, 'zero-size')!;
    expect(outcome).toBe('passed');
    expect(detail).toContain(`no rows ${words}`);
    expect(detail).toContain(`a row of length 0 ${words}`);
  });

  test('answered with NaN are told', async () => {
    const mean = perRow((row) => row.reduce((sum, x) => sum + x, 0) / row.length);
    const { validated } = await validateFake({ model: { signature: sequences, answer: mean } });
    expect(checkOf(validated!.validation, 'zero-size')?.detail).toContain('length 0 would be answered with NaN');
  });

  test('cannot be made where every dimension is fixed', async () => {
    const signature: Signature = {
      inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 2] }],
      outputs: [{ name: 'y', datatype: 'FP32', shape: [1, 1] }],
    };
    const { validated } = await validateFake({
      model: { signature, answer: ([x]) => [fp32('y', [1, 1], [Number(x!.data[0]) + Number(x!.data[1])])] },
    });
    expect(checkOf(validated!.validation, 'zero-size')?.outcome).toBe('skipped');
    expect(validated!.validation.batchMates.verdict).toBe('never-batched');
    expect(validated!.validation.speed.map(({ rows }) => rows)).toEqual([1]);
  });
});
