import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { reportOf } from '../../../../core/quality/feedback/report.ts';
import { FeedbackTally } from '../../../../core/quality/feedback/tally.ts';

type Recorded = {
  readonly name: string;
  readonly actual: readonly string[];
  readonly predicted: readonly string[];
  readonly confidence: readonly number[];
  readonly accuracy: number;
  readonly interval: readonly [number, number];
  readonly macroF1: number;
  readonly classes: readonly Readonly<Record<'label' | 'precision' | 'recall' | 'f1' | 'support', number | string>>[];
  readonly confusion: readonly (readonly number[])[];
  readonly calibration: readonly Readonly<Record<'confidence' | 'accuracy' | 'count', number>>[];
  readonly expectedCalibrationError: number;
};

/** Made by recorded.py beside it. */
const { cases } = JSON.parse(readFileSync(join(import.meta.dirname, 'recorded.json'), 'utf8')) as {
  readonly cases: readonly Recorded[];
};

/** Numbers may differ by a millionth. */
function close(value: unknown): unknown {
  if (typeof value === 'number') return expect.closeTo(value, 6);
  if (Array.isArray(value)) return value.map(close);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, nested]) => [name, close(nested)]));
}

describe('feedback comes to what scikit-learn and SciPy make of it', () => {
  test.each(cases)('$name', ({ name: _, actual, predicted, confidence, ...expected }) => {
    const tally = new FeedbackTally();
    for (const [at, label] of predicted.entries()) tally.add({ label, confidence: confidence[at]! }, actual[at]!);
    const { confusion, count, ...report } = reportOf(FeedbackTally.decode(tally.encode()));
    expect(count).toBe(actual.length);
    expect({ ...report, confusion: confusion.counts }).toEqual(close(expected));
    expect(confusion).toMatchObject({ labels: expected.classes.map(({ label }) => label), other: 0 });
  });
});
