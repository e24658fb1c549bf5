import { describe, expect, test } from 'vitest';
import {
  type Case,
  canaryPlan,
  defaultPlan,
  first500,
  IDENTICAL,
  rateBounds,
  simulate,
  TWENTY_TIMES_THE_ERRORS,
  TWICE_THE_LATENCY,
  whole,
} from '../../../bench/release-rates.ts';

/**
 * Each bound is one that the true rate keeps with 95 % confidence (Clopper and Pearson, one side), by so many seeded releases over fresh populations:
 * not a rate that was merely seen. `node bench/release-simulation.ts` runs more.
 */
const SEED = 1;

function rolledBack(simulated: Case, runs: number): { least: number; most: number; why: string[] } {
  const ended = simulate(simulated, runs, SEED);
  const why = ended.flatMap((end) => (end.kind === 'aborted' ? [end.why] : []));
  return { ...rateBounds(why.length, runs), why };
}

describe('by simulated releases over tenant-correlated, heavy-tailed traffic', () => {
  test('fewer than 1 % of whole releases of a version just like stable are rolled back', { timeout: 300_000 }, () => {
    const { most, why } = rolledBack(whole('identical', defaultPlan(), IDENTICAL), 300);
    expect(most, why.join('\n')).toBeLessThanOrEqual(0.01);
  });

  test('2 % errors against 0.1 % are rolled back within 500 candidate requests in at least 95 %', {
    timeout: 300_000,
  }, () => {
    const { least } = rolledBack(first500('errors', canaryPlan(5, 'user'), TWENTY_TIMES_THE_ERRORS), 400);
    expect(least).toBeGreaterThanOrEqual(0.95);
  });

  test('twice the latency is rolled back within 500 candidate requests in at least 95 %', { timeout: 300_000 }, () => {
    const { least } = rolledBack(first500('latency', canaryPlan(5, 'user'), TWICE_THE_LATENCY), 150);
    expect(least).toBeGreaterThanOrEqual(0.95);
  });
});

describe('the bounds of a rate', () => {
  test.each([
    [0, 300, 0, 0.00994],
    [300, 300, 0.99006, 1],
    [5, 10, 0.2224, 0.7776],
  ])('of %d in %d are those of the published tables', (hits, runs, least, most) => {
    const bounds = rateBounds(hits, runs);
    expect(bounds.least).toBeCloseTo(least, 4);
    expect(bounds.most).toBeCloseTo(most, 4);
  });
});
