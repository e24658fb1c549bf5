import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Distribution } from '../../../../core/quality/drift/distribution.ts';
import { jensenShannon } from '../../../../core/quality/drift/jensen-shannon.ts';
import { kolmogorovSmirnov } from '../../../../core/quality/drift/kolmogorov-smirnov.ts';
import { populationStability } from '../../../../core/quality/drift/psi.ts';
import { wasserstein } from '../../../../core/quality/drift/wasserstein.ts';

/** What recorded.py wrote. */
type Recorded = {
  readonly labels: readonly {
    readonly name: string;
    readonly reference: readonly number[];
    readonly current: readonly number[];
    readonly js: number;
    readonly psi: number;
  }[];
  readonly values: readonly {
    readonly name: string;
    readonly reference: Distribution;
    readonly current: Distribution;
    readonly ks: number;
    readonly wasserstein: number;
  }[];
};

const recorded = JSON.parse(readFileSync(join(import.meta.dirname, 'recorded.json'), 'utf8')) as Recorded;

function expectAlike(got: number | undefined, expected: number): void {
  expect(Math.abs(got! - expected), `${got} is not ${expected}`).toBeLessThanOrEqual(1e-6);
}

describe('of counts of labels', () => {
  test.each(recorded.labels)("Jensen-Shannon and PSI are SciPy's and Evidently's: $name", (recordedCase) => {
    const { reference, current, js, psi } = recordedCase;
    expectAlike(jensenShannon(reference, current), js);
    expectAlike(populationStability(reference, current), psi);
  });

  test('there is no distance from or to nothing', () => {
    expect(jensenShannon([0, 0], [1, 2])).toBeUndefined();
    expect(jensenShannon([1, 2], [])).toBeUndefined();
    expect(populationStability([0, 0], [1, 2])).toBeUndefined();
    expect(populationStability([1, 2], [])).toBeUndefined();
  });
});

describe('of values and their counts', () => {
  test.each(recorded.values)(
    "Kolmogorov-Smirnov and Wasserstein are SciPy's and Evidently's: $name",
    (recordedCase) => {
      const { reference, current, ks, wasserstein: distance } = recordedCase;
      expectAlike(kolmogorovSmirnov(reference, current), ks);
      expectAlike(wasserstein(reference, current), distance);
    },
  );

  test('there is no distance from or to nothing', () => {
    expect(kolmogorovSmirnov([], [[1, 1]])).toBeUndefined();
    expect(wasserstein([[1, 1]], [])).toBeUndefined();
  });
});
