import { describe, expect, test } from 'vitest';
import { Failure } from '../../../../core/failure.ts';
import { type Manifest, manifestSchema } from '../../../../core/models/manifest.ts';
import type { Signature, TensorSignature } from '../../../../core/models/signature.ts';
import { feedbackProblems, knownLabels, readLabels } from '../../../../core/quality/feedback/known-labels.ts';

const output = (name: string, datatype: TensorSignature['datatype'], shape: TensorSignature['shape']) =>
  ({ name, datatype, shape }) as TensorSignature;
const PROBABILITIES = output('probabilities', 'FP32', [-1, 3]);
const TEXTS: Pick<Signature, 'outputs'> = { outputs: [output('label', 'BYTES', [-1]), PROBABILITIES] };
const NUMBERS: Pick<Signature, 'outputs'> = { outputs: [output('label', 'INT64', [-1])] };
const CLASSES: Pick<Signature, 'outputs'> = { outputs: [PROBABILITIES] };
const NONE: Pick<Signature, 'outputs'> = { outputs: [output('y', 'FP32', [-1, 1])] };

const manifest = (feedback: unknown): Manifest => manifestSchema.parse({ name: 'm', feedback });

describe('the manifest', () => {
  test.each([
    [1, 2],
    [90, 512],
  ])('keeps answers for %s days, of %s labels', (days, count) => {
    const labels = Array.from({ length: count }, (_, n) => `label ${n}`);
    expect(manifest({ days, labels }).feedback).toEqual({ days, labels });
  });

  test.each([
    { days: 0 },
    { days: 91 },
    { days: 1.5 },
    {},
    { days: 7, labels: ['one'] },
    { days: 7, labels: ['one', 'one'] },
    { days: 7, labels: ['', 'one'] },
    { days: 7, labels: ['x'.repeat(65), 'one'] },
    { days: 7, labels: Array.from({ length: 513 }, (_, n) => String(n)) },
    { days: 7, share: 0.5 },
  ])('refuses %j', (feedback) => {
    expect(() => manifest(feedback)).toThrow();
  });

  test.each([
    ['no labels of a model that answers texts', { days: 7 }, TEXTS, ['feedback.labels: needed']],
    ['a model that does not classify', { days: 7 }, NONE, ['feedback: the model has no outputs']],
    ['texts of a model that answers numbers', { days: 7, labels: ['a', 'b'] }, NUMBERS, ['feedback.labels: the model']],
    [
      'a class that there is not',
      { days: 7, labels: ['0', '3'] },
      CLASSES,
      ['feedback.labels: the model answers 0 to 2'],
    ],
  ])('and the graph do not fit: %s', (_, feedback, signature, problems) => {
    const found = feedbackProblems(manifest(feedback), signature);
    expect(found).toEqual(problems.map((problem) => expect.stringContaining(problem)));
  });

  test.each([
    ['texts', { days: 7, labels: ['a', 'b'] }, TEXTS],
    ['numbers', { days: 7 }, NUMBERS],
    ['some numbers', { days: 7, labels: ['-1', '12'] }, NUMBERS],
    ['classes', { days: 7 }, CLASSES],
    ['nothing, of whatever model', undefined, NONE],
  ])('and the graph fit: %s', (_, feedback, signature) => {
    expect(feedbackProblems(manifest(feedback), signature)).toEqual([]);
  });
});

describe('labels', () => {
  const listed = knownLabels(manifest({ days: 7, labels: ['good', '1'] }), TEXTS);
  const numbers = knownLabels(manifest({ days: 7 }), NUMBERS);
  const classes = knownLabels(manifest({ days: 7 }), CLASSES);

  test('are those that the manifest lists, any whole number, or the places of classes', () => {
    expect(['good', '1', 'bad', 'Good', ''].map(listed)).toEqual([true, true, false, false, false]);
    expect(['0', '-7', '12345678901234567', '1.0', '01', '-0', '1e3', 'x', ''].map(numbers)).toEqual([
      true,
      true,
      true,
      false,
      false,
      false,
      false,
      false,
      false,
    ]);
    expect(['0', '2', '3', '-1', 'two'].map(classes)).toEqual([true, true, false, false, false]);
    expect(knownLabels(manifest({ days: 7 }), NONE)('0')).toBe(false);
  });

  test('are one a row, numbers as texts', () => {
    expect(readLabels('good', 1, listed)).toEqual(['good']);
    expect(readLabels(1, 1, listed)).toEqual(['1']);
    expect(readLabels([3, '4'], 2, numbers)).toEqual(['3', '4']);
    expect(failureOf(() => readLabels(['good'], 2, listed))).toMatchObject({ code: 'request-invalid' });
    expect(failureOf(() => readLabels(['good', 'good'], 1, listed))).toMatchObject({ code: 'request-invalid' });
  });

  test('that the model does not have are named by their row, never by what they say', () => {
    const failure = failureOf(() => readLabels(['good', 'jane.doe@example.com'], 2, listed));
    expect(failure).toMatchObject({ code: 'label-unknown', facts: { field: 'label', row: 1 } });
    expect(JSON.stringify([failure.message, failure.facts])).not.toContain('jane');
  });
});

function failureOf(run: () => unknown): Failure {
  try {
    run();
  } catch (error) {
    if (error instanceof Failure) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}
