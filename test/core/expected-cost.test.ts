import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { BatchCost } from '../../core/inference/batch-cost.ts';
import { expectedCost } from '../../core/inference/expected-cost.ts';
import { lengthOfStep, lengthStep } from '../../core/inference/padding-steps.ts';
import { ServedVersion } from '../../gpu-worker/version-shelf.ts';
import { aValidation, aVersion } from '../support/jobs.ts';

/** Runs of 1 and 16 rows, 2 ms and a hundredth of a millisecond for each element. */
const runMs = (rows: number, length: number) => 2 + 0.01 * rows * length;
const speed = [32, 512].flatMap((length) => [1, 16].map((rows) => ({ rows, length, runMs: runMs(rows, length) })));
const measured = { ...aValidation({ rowMs: 2.32 }), speed };

describe('what a run is expected to cost before any was seen', () => {
  test('is what was measured at that length', () => {
    expect(expectedCost(measured, 32)).toEqual({ rowMs: runMs(1, 32), perRowMs: expect.closeTo(0.32) });
    expect(expectedCost(measured, 512)).toEqual({ rowMs: runMs(1, 512), perRowMs: expect.closeTo(5.12) });
  });

  test('lies between two lengths in proportion, and beyond the longest grows with length', () => {
    expect(expectedCost(measured, 272)).toEqual({
      rowMs: expect.closeTo(runMs(1, 272)),
      perRowMs: expect.closeTo(2.72),
    });
    expect(expectedCost(measured, 1024)).toEqual({ rowMs: 2 * runMs(1, 512), perRowMs: expect.closeTo(10.24) });
    expect(expectedCost(measured, 1)).toEqual(expectedCost(measured, 32));
  });

  test('is the time of a row where nothing else was measured', () => {
    expect(expectedCost(aValidation({ rowMs: 7 }), 100)).toEqual({ rowMs: 7, perRowMs: undefined });
    const alone = { rowMs: 7, speed: [{ rows: 1, length: 10, runMs: 8 }] };
    expect(expectedCost(alone, 10)).toEqual({ rowMs: 8, perRowMs: undefined });
  });

  test('is never less than nothing for another row, however noisy the measurement', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0.01, max: 100, noNaN: true }), { minLength: 6, maxLength: 6 }),
        (times) => {
          const noisy = times.map((ms, at) => ({ rows: 2 ** (at % 3), length: at < 3 ? 8 : 64, runMs: ms }));
          for (const length of [1, 8, 30, 64, 500]) {
            const { rowMs, perRowMs } = expectedCost({ rowMs: 1, speed: noisy }, length);
            expect(rowMs).toBeGreaterThan(0);
            expect(perRowMs).toBeGreaterThanOrEqual(0);
          }
        },
      ),
    );
  });
});

test('the length of a step is one of that step, and no longer one is', () => {
  for (let length = 1; length <= 2048; length += 1) {
    const step = lengthStep(length);
    expect(lengthOfStep(step)).toBeGreaterThanOrEqual(length);
    expect(lengthStep(lengthOfStep(step) + 1)).toBeGreaterThan(step);
  }
});

describe('a fresh worker', () => {
  const served = new ServedVersion({ ...aVersion(), validation: measured }, 1, 'path');

  test('fills its first run as validation measured: rows that cost little make it large', () => {
    // (15 − 2) ms of 0.32 ms a row.
    expect(served.cost(lengthStep(32)).rowsWithin(15)).toBe(40);
    // (15 − 2) ms of 5.12 ms a row.
    expect(served.cost(lengthStep(512)).rowsWithin(15)).toBe(2);
  });

  test('believes its own runs from then on', () => {
    const cost = new BatchCost(2.32, 0.32);
    for (let run = 0; run < 20; run += 1) cost.observe(run % 2 === 0 ? 4 : 16, run % 2 === 0 ? 10 : 34);
    expect(cost.predictMs(8)).toBeCloseTo(18, 0);
    expect(cost.rowsWithin(15)).toBe(6);
  });
});
