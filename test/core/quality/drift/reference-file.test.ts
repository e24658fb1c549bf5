import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Failure } from '../../../../core/failure.ts';
import { distributionOf } from '../../../../core/quality/drift/profile.ts';
import { readReference, writeReference } from '../../../../core/quality/drift/reference.ts';
import {
  checkReference,
  MOST_REFERENCE_BYTES,
  readReferenceFile,
} from '../../../../core/quality/drift/reference-file.ts';
import { SignedSketch } from '../../../../core/quality/signed-sketch.ts';
import { aReference } from '../../../support/drift.ts';

async function* bytesOf(text: string): AsyncGenerator<Uint8Array> {
  yield new TextEncoder().encode(text);
}

const read = (file: unknown) => readReferenceFile(bytesOf(JSON.stringify(file)));

async function problemsOf(reading: Promise<unknown>): Promise<readonly string[]> {
  const failure = await reading.then(
    () => undefined,
    (error: unknown) => error,
  );
  expect(failure).toBeInstanceOf(Failure);
  const { code, facts } = failure as Failure;
  expect(code).toBe('reference-invalid');
  return facts.problems as readonly string[];
}

describe('a reference file', () => {
  test('is read as telemetry would have counted the same rows', async () => {
    const values = [-3.5, -3.5, 0, 2, 2, 2, 1e6];
    const counted = [...new Set(values)].map((value) => [value, values.filter((each) => each === value).length]);
    const { profile } = await read({ inputs: { x: { rows: 7, values: counted } } });
    const sketch = new SignedSketch();
    for (const value of values) sketch.add(value);
    expect(distributionOf(profile.inputs.get('x')!.values!)).toEqual(distributionOf(sketch));
  });

  test('of millions of rows is read as quickly, and counts each of them', async () => {
    const { profile } = await read({
      labels: { yes: 999_999_999, no: 1, never: 0 },
      inputs: { text: { rows: 1e9, lengths: [[5, 123_456_789]], classes: { latin: 7, digits: 3 } } },
    });
    expect([profile.labels.get('yes'), [...profile.labels.labels()]]).toEqual([999_999_999, ['yes', 'no']]);
    const { lengths, classes } = profile.inputs.get('text')!;
    expect([lengths!.count, classes]).toEqual([123_456_789, [7, 0, 3, 0, 0, 0, 0]]);
  });

  test('that is wrong is told of every mistake at once', async () => {
    const many = Object.fromEntries(Array.from({ length: 513 }, (_, at) => [`l${at}`, 1]));
    const inputs = {
      a: { rows: 0 },
      b: { rows: 2, tooLong: 3, lengths: [[1.5, 1]] },
      c: {
        rows: 2,
        lengths: [
          [1, 2],
          [2, 1],
        ],
      },
      d: { rows: 2, classes: { greek: 1 } },
    };
    const problems = await problemsOf(read({ labels: many, confidence: [1, 2], inputs, rows: 3 }));
    const places = problems.map((problem) => problem.split(':')[0]!);
    for (const place of ['rows', 'labels', 'confidence', 'inputs.a.rows', 'inputs.c.lengths'])
      expect(places, problems.join('\n')).toContain(place);
    expect(places.some((place) => place.startsWith('inputs.b.lengths'))).toBe(true);
    expect(places.some((place) => place.startsWith('inputs.d.classes'))).toBe(true);
  });

  test('that says nothing, or is no JSON, or too large, is refused', async () => {
    expect(await problemsOf(read({}))).toHaveLength(1);
    expect(await problemsOf(readReferenceFile(bytesOf('{"labels"')))).toEqual(['reference.json: is no JSON in UTF-8']);
    const large = readReferenceFile(bytesOf(' '.repeat(MOST_REFERENCE_BYTES + 1)));
    await expect(large).rejects.toMatchObject({ code: 'body-too-large', facts: { field: 'reference' } });
  });

  test('names inputs of the model, or columns of them', async () => {
    const signature = { inputs: [{ name: 'x', datatype: 'FP32', shape: ['batch', 4] }] } as const;
    const { profile } = await read({ inputs: { x: { rows: 1 }, 'x[3]': { rows: 1 }, y: { rows: 1 } } });
    const check = async () => checkReference(profile, signature as never);
    expect(await problemsOf(check())).toEqual(['inputs.y: the model has no such input; it has x']);
  });
});

test('a reference is stored and read again as it was, whatever is in it', async () => {
  const labels = fc.dictionary(fc.string({ minLength: 1, maxLength: 20 }), fc.integer({ min: 1, max: 1e6 }), {
    minKeys: 1,
  });
  await fc.assert(
    fc.asyncProperty(labels, fc.array(fc.double({ min: -1e6, max: 1e6, noNaN: true })), async (counts, values) => {
      const x = { rows: values.length + 1, missing: 1, values: values.map((value) => [value, 2]) };
      const { profile } = await read({ labels: counts, inputs: { x } });
      const reference = aReference(profile, { kind: 'window', fromMs: 1, untilMs: 2 });
      expect(readReference('m@1', writeReference(reference))).toEqual(reference);
    }),
    { numRuns: 30 },
  );
  expect(() => readReference('m@1', '{}')).toThrow(expect.objectContaining({ code: 'record-damaged' }));
});
