import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { planBatches } from '../../core/inference/batch-plan.ts';
import { mergeInputs } from '../../core/inference/merge-batch.ts';
import { hasRowForEach, splitOutputs } from '../../core/inference/split-batch.ts';
import { allocate, type Datatype, elementCount, type Tensor } from '../../core/inference/tensor.ts';
import type { Signature } from '../../core/models/signature.ts';
import { aVersion } from '../support/jobs.ts';

type Part = {
  readonly inputs: readonly Tensor[];
  readonly rows: number;
  readonly outputs: readonly string[] | undefined;
};

const PAD = 7;

function signatureOf(datatype: Datatype): Signature {
  const shape = ['batch', 'seq', 2, 'wide'];
  return {
    inputs: [{ name: 'x', datatype, shape }],
    outputs: [{ name: 'x', datatype, shape }],
  };
}

/** Jobs whose elements are all different, numbered through. */
function partsOf(datatype: Datatype, shapes: readonly (readonly number[])[]): Part[] {
  let next = 100;
  return shapes.map((shape) => {
    const data = allocate(datatype, elementCount(shape));
    for (let at = 0; at < data.length; at += 1) {
      next += 1;
      if (Array.isArray(data)) data[at] = String(next);
      else data[at] = datatype === 'INT64' ? BigInt(next) : next;
    }
    return { inputs: [{ name: 'x', datatype, shape, data }], rows: shape[0]!, outputs: undefined };
  });
}

const anyDatatype = fc.constantFrom<Datatype>('FP32', 'INT64', 'INT32', 'FP64');
const anyShapes = fc.array(
  fc.tuple(
    fc.integer({ min: 1, max: 3 }),
    fc.integer({ min: 1, max: 5 }),
    fc.constant(2),
    fc.integer({ min: 1, max: 40 }),
  ),
  { minLength: 1, maxLength: 6 },
);

describe('a batch', () => {
  test('gives every job back exactly what it put in, cut out of padding', () => {
    fc.assert(
      fc.property(anyDatatype, anyShapes, (datatype, shapes) => {
        const plan = planBatches(
          aVersion({ signature: signatureOf(datatype), manifest: { inputs: { x: { pad: PAD } } } }),
        );
        const parts = partsOf(datatype, shapes);
        const merged = mergeInputs(plan, parts);
        expect(merged[0]!.data.length).toBe(elementCount(merged[0]!.shape));
        // The identity model: what comes out is what went in.
        const split = splitOutputs(plan, merged, parts);
        for (const [at, part] of parts.entries()) expect(split[at]).toEqual(part.inputs);
      }),
    );
  });

  test('is filled up with the value of the manifest and nothing else', () => {
    fc.assert(
      fc.property(anyDatatype, anyShapes, (datatype, shapes) => {
        const plan = planBatches(
          aVersion({ signature: signatureOf(datatype), manifest: { inputs: { x: { pad: PAD } } } }),
        );
        const [merged] = mergeInputs(plan, partsOf(datatype, shapes));
        const own = shapes.reduce((sum, shape) => sum + elementCount(shape), 0);
        const filled = Array.from(merged!.data as Float32Array).filter((value) => Number(value) === PAD);
        expect(filled.length).toBe(merged!.data.length - own);
      }),
    );
  });

  test('keeps texts apart', () => {
    const signature: Signature = {
      inputs: [{ name: 'x', datatype: 'BYTES', shape: ['batch'] }],
      outputs: [{ name: 'x', datatype: 'BYTES', shape: ['batch'] }],
    };
    const plan = planBatches(aVersion({ signature }));
    const parts = partsOf('BYTES', [[1], [2], [1]]);
    expect(splitOutputs(plan, mergeInputs(plan, parts), parts)).toEqual(parts.map(({ inputs }) => inputs));
  });

  test('gives a job memory of its own, never a view of rows that belong to others', () => {
    const signature: Signature = {
      inputs: [{ name: 'x', datatype: 'FP32', shape: ['batch'] }],
      outputs: [{ name: 'x', datatype: 'FP32', shape: ['batch'] }],
    };
    const plan = planBatches(aVersion({ signature }));
    const parts = partsOf('FP32', [[1], [1]]);
    for (const [output] of splitOutputs(plan, mergeInputs(plan, parts), parts)) {
      expect((output!.data as Float32Array).buffer.byteLength).toBe(4);
    }
  });

  test('takes inputs by name, in whatever order a job lists them', () => {
    const signature: Signature = {
      inputs: ['a', 'b'].map((name) => ({ name, datatype: 'FP32', shape: ['batch'] })),
      outputs: [{ name: 'a', datatype: 'FP32', shape: ['batch'] }],
    };
    const plan = planBatches(aVersion({ signature }));
    const tensor = (name: string, value: number): Tensor => ({
      name,
      datatype: 'FP32',
      shape: [1],
      data: Float32Array.of(value),
    });
    const jobs = [
      { inputs: [tensor('a', 1), tensor('b', 2)], rows: 1 },
      { inputs: [tensor('b', 4), tensor('a', 3)], rows: 1 },
    ];
    const [a, b] = mergeInputs(plan, jobs);
    expect([a!.name, ...(a!.data as Float32Array)]).toEqual(['a', 1, 3]);
    expect([b!.name, ...(b!.data as Float32Array)]).toEqual(['b', 2, 4]);
  });

  test('returns only the outputs that a job asked for, in its order', () => {
    const signature: Signature = {
      inputs: [{ name: 'x', datatype: 'FP32', shape: ['batch'] }],
      outputs: ['p', 'q', 'r'].map((name) => ({ name, datatype: 'FP32', shape: ['batch'] })),
    };
    const plan = planBatches(aVersion({ signature }));
    const outputs = ['p', 'q', 'r'].map(
      (name): Tensor => ({ name, datatype: 'FP32', shape: [2], data: Float32Array.of(1, 2) }),
    );
    const jobs = [
      { inputs: [], rows: 1, outputs: ['r', 'p'] },
      { inputs: [], rows: 1, outputs: undefined },
    ];
    const names = splitOutputs(plan, outputs, jobs).map((tensors) => tensors.map(({ name }) => name));
    expect(names).toEqual([
      ['r', 'p'],
      ['p', 'q', 'r'],
    ]);
  });

  test('cannot be split if the model did not return a row for every row', () => {
    const parts = partsOf('FP32', [
      [1, 1],
      [2, 1],
    ]);
    const output = (rows: number): Tensor => ({
      name: 'y',
      datatype: 'FP32',
      shape: [rows],
      data: new Float32Array(rows),
    });
    expect(hasRowForEach([output(3)], parts)).toBe(true);
    expect(hasRowForEach([output(3), output(1)], parts)).toBe(false);
    expect(hasRowForEach([{ ...output(1), shape: [] }], parts)).toBe(false);
  });
});
