import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Attempt, afterMishap, type Mishap } from '../../core/inference/rerun.ts';

type Answers = {
  readonly answered: number[];
  readonly blamed: { work: number; mishap: Mishap; wastedMs: number }[];
  runs: number;
};

/** Runs a batch to its end: a run that holds a bad job ends as `mishap` says, every run costs 1 ms. */
function runToEnd(works: readonly number[], bad: ReadonlySet<number>, mishap: Mishap): Answers {
  const answers: Answers = { answered: [], blamed: [], runs: 0 };
  const waiting: Attempt<number>[] = [{ works, kills: 0, wastedMs: 0 }];
  for (let attempt = waiting.shift(); attempt !== undefined; attempt = waiting.shift()) {
    answers.runs += 1;
    if (!attempt.works.some((work) => bad.has(work))) {
      answers.answered.push(...attempt.works);
      continue;
    }
    const next = afterMishap(attempt, mishap, 1);
    if (next.kind === 'rerun') waiting.push(...next.attempts);
    else answers.blamed.push({ work: next.work, mishap: next.mishap, wastedMs: next.wastedMs });
  }
  return answers;
}

const anyBatch = fc
  .integer({ min: 1, max: 40 })
  .chain((size) =>
    fc.tuple(fc.constant(size), fc.uniqueArray(fc.integer({ min: 0, max: size - 1 }), { maxLength: 4 })),
  );
const anyMishap = fc.constantFrom<Mishap>('refused', 'crashed', 'timed-out');

describe('after a failed run', () => {
  test('exactly the bad jobs are blamed and all others are answered, once each', () => {
    fc.assert(
      fc.property(anyBatch, anyMishap, ([size, bad], mishap) => {
        const works = Array.from({ length: size }, (_, at) => at);
        const { answered, blamed } = runToEnd(works, new Set(bad), mishap);
        expect(blamed.map(({ work }) => work).sort((a, b) => a - b)).toEqual([...bad].sort((a, b) => a - b));
        expect([...answered].sort((a, b) => a - b)).toEqual(works.filter((work) => !bad.includes(work)));
      }),
    );
  });

  test('one bad row of n is found in at most 1 + 2 × ⌈log₂ n⌉ runs', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 64 }), fc.nat(), (size, seed) => {
        const works = Array.from({ length: size }, (_, at) => at);
        const { runs } = runToEnd(works, new Set([seed % size]), 'refused');
        expect(runs).toBeLessThanOrEqual(1 + 2 * Math.ceil(Math.log2(size)));
      }),
    );
  });

  test('a killer ends no more than three processes: the batch, and twice alone', () => {
    expect(runToEnd([0, 1, 2, 3], new Set([2]), 'crashed').blamed[0]?.wastedMs).toBe(3);
    expect(runToEnd([2], new Set([2]), 'crashed').blamed[0]?.wastedMs).toBe(2);
  });

  test('a job that is alone when its runner is lost once is not blamed', () => {
    const next = afterMishap({ works: ['job'], kills: 0, wastedMs: 0 }, 'crashed', 5);
    expect(next).toEqual({ kind: 'rerun', attempts: [{ works: ['job'], kills: 1, wastedMs: 5 }] });
  });

  test('a job that times out alone is blamed at once, with the time that led there', () => {
    const next = afterMishap({ works: ['job'], kills: 0, wastedMs: 10 }, 'timed-out', 10);
    expect(next).toEqual({ kind: 'blame', work: 'job', mishap: 'timed-out', wastedMs: 20 });
  });
});
