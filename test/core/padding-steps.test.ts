import fc from 'fast-check';
import { expect, test } from 'vitest';
import { lengthStep, paddingSteps } from '../../core/inference/padding-steps.ts';

/** As measured of a small transformer on a CPU: batches pay for short rows and not for long ones. */
const SPEED = [
  { length: 12, rows: 1, runMs: 3.5 },
  { length: 12, rows: 16, runMs: 31 },
  { length: 48, rows: 1, runMs: 10 },
  { length: 48, rows: 8, runMs: 58 },
  { length: 192, rows: 1, runMs: 34 },
  { length: 192, rows: 2, runMs: 66 },
];
const LONGEST = 512;

/** The shortest and the longest length of each step. */
function spans(stepOf: (length: number) => number): readonly (readonly [number, number])[] {
  const found = new Map<number, [number, number]>();
  for (let length = 1; length <= LONGEST; length += 1) {
    const span = found.get(stepOf(length));
    if (span === undefined) found.set(stepOf(length), [length, length]);
    else span[1] = length;
  }
  return [...found.values()];
}

function widestAround(length: number): number {
  const [from, to] = spans(paddingSteps(SPEED, LONGEST)).find(([low, high]) => low <= length && length <= high)!;
  return to / from - 1;
}

test('steps are wide where batching pays and narrow where it does not', () => {
  expect(widestAround(14)).toBeGreaterThan(widestAround(200));
  expect(widestAround(200)).toBeLessThanOrEqual(1 / 16);
});

test('longer lengths are of later steps, and no row is padded by more than half an octave', () => {
  const point = fc.record({
    length: fc.integer({ min: 1, max: 600 }),
    rows: fc.integer({ min: 1, max: 64 }),
    runMs: fc.double({ min: 0.001, max: 1000, noNaN: true }),
  });
  fc.assert(
    fc.property(fc.array(point, { maxLength: 12 }), (speed) => {
      const stepOf = paddingSteps(speed, LONGEST);
      for (let length = 2; length <= LONGEST; length += 1) {
        expect(stepOf(length)).toBeGreaterThanOrEqual(stepOf(length - 1));
      }
      for (const [from, to] of spans(stepOf)) expect(to / from).toBeLessThanOrEqual(Math.SQRT2);
    }),
  );
});

test('where nothing was measured steps are half octaves', () => {
  for (let length = 1; length <= LONGEST; length += 1) {
    expect(paddingSteps([], LONGEST)(length)).toBe(lengthStep(length));
  }
});
