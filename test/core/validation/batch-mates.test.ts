import { describe, expect, test } from 'vitest';
import type { Signature } from '../../../core/models/signature.ts';
import { checkOf, type FakeModel, fp32, perRow, validateFake } from '../../support/fake-sandbox.ts';

const sum = (numbers: readonly number[]) => numbers.reduce((total, x) => total + x, 0);
const mean = (rows: readonly (readonly number[])[]) => sum(rows.map(([x]) => x!)) / rows.length;
const found = async (model: FakeModel, manifest = {}) => {
  const { validated } = await validateFake({ model, manifest });
  const { batchMates } = validated!.validation;
  return { ...batchMates, check: checkOf(validated!.validation, 'batch-mates')! };
};

describe('rows of a run', () => {
  test('that do not touch each other may be of several tenants', async () => {
    const { verdict, largestDifference, check } = await found({ answer: perRow(([x]) => 3 * x!) });
    expect({ verdict, largestDifference }).toEqual({ verdict: 'independent', largestDifference: 0 });
    expect(check).toMatchObject({ outcome: 'passed', detail: expect.stringContaining('exactly') });
  });

  test('that differ by rounding as their number does are independent, and the rounding is kept', async () => {
    const { verdict, largestDifference } = await found({
      answer: perRow(([x], rows) => x! * (1 + (rows.length > 4 ? 2e-6 : 0))),
    });
    expect(verdict).toBe('independent');
    expect(largestDifference).toBeGreaterThan(0);
  });

  test('whose answers hold what is in other rows are never of two tenants', async () => {
    const { verdict, largestDifference, check } = await found({ answer: perRow(([x], rows) => x! - 0.5 * mean(rows)) });
    expect(verdict).toBe('mate-dependent');
    expect(largestDifference).toBeGreaterThan(0.01);
    expect(check).toMatchObject({ outcome: 'warning', advice: expect.stringContaining('quantiz') });
    expect(check.detail).toMatch(/never batched across tenants, because what is in the other rows/);
  });

  test('are found out by a millionth of another row', async () => {
    const scale = (rows: readonly (readonly number[])[]) => Math.max(...rows.map(([x]) => Math.abs(x!)));
    const { verdict } = await found({
      answer: perRow(([x], rows) => x! * (1 + 1e-5 * Math.min(1, scale(rows) / 100))),
    });
    expect(verdict).toBe('mate-dependent');
  });

  test('are found out by rows that only an attacker sends', async () => {
    const isHostile = (rows: readonly (readonly number[])[]) => rows.some(([x]) => Math.abs(x!) > 1e30);
    const { verdict } = await found({ answer: perRow(([x], rows) => (isHostile(rows) ? 0 : x!)) });
    expect(verdict).toBe('mate-dependent');
  });

  test('whose number changes answers are never of two tenants', async () => {
    const { verdict, check } = await found({ answer: perRow(([x], rows) => x! * (1 + 0.01 * rows.length)) });
    expect(verdict).toBe('size-dependent');
    expect(check.detail).toMatch(/never batched across tenants, because the number of rows/);
  });

  test('are rounded more coarsely where outputs are FP16', async () => {
    const half = (factor: number): FakeModel => ({
      signature: {
        inputs: [{ name: 'x', datatype: 'FP32', shape: ['batch', 1] }],
        outputs: [{ name: 'y', datatype: 'FP16', shape: ['batch', 1] }],
      },
      answer: ([x]) => {
        const values = Float16Array.from(x!.data as Float32Array, (each) => each * (x!.shape[0]! > 1 ? 1 + factor : 1));
        return [{ name: 'y', datatype: 'FP16', shape: x!.shape, data: new Uint16Array(values.buffer) }];
      },
    });
    expect((await found(half(1e-3))).verdict).toBe('independent');
    expect((await found(half(1e-2))).verdict).toBe('size-dependent');
  });

  test('stay apart in whole numbers and text, or do not', async () => {
    const labels = (labelOf: (x: number, rows: number) => string): FakeModel => ({
      signature: {
        inputs: [{ name: 'x', datatype: 'FP32', shape: ['batch', 1] }],
        outputs: [{ name: 'label', datatype: 'BYTES', shape: ['batch'] }],
      },
      answer: ([x]) => {
        const rows = x!.shape[0]!;
        return [
          {
            name: 'label',
            datatype: 'BYTES',
            shape: [rows],
            data: [...(x!.data as Float32Array)].map((each) => labelOf(each, rows)),
          },
        ];
      },
    });
    expect((await found(labels((x) => (x > 0 ? 'high' : 'low')))).verdict).toBe('independent');
    expect((await found(labels((x, rows) => (x > 0 ? 'high' : `low of ${rows}`)))).verdict).toBe('size-dependent');
  });
});

describe('rows that are padded to others', () => {
  const sequences: Signature = {
    inputs: [{ name: 'x', datatype: 'FP32', shape: ['batch', 'sequence'] }],
    outputs: [{ name: 'y', datatype: 'FP32', shape: ['batch', 1] }],
  };
  const padded = { inputs: { x: { pad: 0 } } };

  test('with what changes nothing share runs', async () => {
    expect((await found({ signature: sequences, answer: perRow(sum) }, padded)).verdict).toBe('independent');
  });

  test('with what changes their answer do not, and are told why', async () => {
    const model: FakeModel = { signature: sequences, answer: perRow((row) => sum(row) / row.length) };
    const { verdict, check } = await found(model, padded);
    expect(verdict).toBe('size-dependent');
    expect(check.detail).toContain('padding to longer rows');
    expect(check.advice).toContain('`pad`');
    expect((await found(model)).verdict).toBe('independent');
  });
});

describe('rows that cannot share a run', () => {
  test.each([
    ['the manifest says so', { batching: { maxRows: 1 } }, {}],
    ['first dimensions have two names', {}, { inputs: ['rows', 1], outputs: ['answers', 1] }],
    ['the first dimension is fixed', {}, { inputs: [1, 1], outputs: [1, 1] }],
    ['rows are set against each other', {}, { inputs: ['batch', 1], outputs: ['batch', 'batch'] }],
  ])(
    'because %s are never batched',
    async (_, manifest, shapes: { inputs?: (string | number)[]; outputs?: (string | number)[] }) => {
      const signature: Signature = {
        inputs: [{ name: 'x', datatype: 'FP32', shape: shapes.inputs ?? ['batch', 1] }],
        outputs: [{ name: 'y', datatype: 'FP32', shape: shapes.outputs ?? ['batch', 1] }],
      };
      const { verdict, check } = await found({ signature, answer: perRow(([x]) => x!) }, manifest);
      expect(verdict).toBe('never-batched');
      expect(check.detail).toContain('never batched: ');
    },
  );

  test('because the model gives one answer for all of them are never batched', async () => {
    const { verdict, check } = await found({ answer: ([x]) => [fp32('y', [1, 1], [Number(x!.data[0])])] });
    expect(verdict).toBe('never-batched');
    expect(check.detail).toContain('does not give a row for every row');
  });

  test('because two of them already take too long are never batched', async () => {
    const slow: FakeModel = { answer: perRow(([x]) => x!), runMs: ([x]) => (x!.shape[0]! > 1 ? 600 : 300) };
    expect((await found(slow, { timeoutMs: 500 })).verdict).toBe('never-batched');
  });

  test('because too few are known are never batched', async () => {
    const { verdict } = await found({ answer: perRow(([x]) => x!) }, { inputs: { x: { min: 1, max: 1 } } });
    expect(verdict).toBe('never-batched');
  });
});

test('a crash that needs many rows refuses the model', async () => {
  const inner = perRow(([x]) => x!);
  const model: FakeModel = { answer: (inputs) => (inputs[0]!.shape[0]! > 4 ? 'crashes' : inner(inputs)) };
  const { failure, checks } = await validateFake({ model });
  expect(failure).toMatchObject({ code: 'model-crashes', facts: { rule: 'limits.maxRows' } });
  expect(checks.at(-1)?.check).toBe('batch-mates');
});
