import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { divergence } from '../../../core/release/statistics/divergence.ts';
import { LEVELS } from '../../../core/release/statistics/levels.ts';
import { dueLook, lookAlpha, NO_LOOKS } from '../../../core/release/statistics/looks.ts';
import { lotEvidence } from '../../../core/release/statistics/lot-evidence.ts';
import { normalTail } from '../../../core/release/statistics/normal.ts';
import { rankSum } from '../../../core/release/statistics/rank-sum.ts';
import { seededRandom } from '../../../core/seeded-random.ts';

/** By its definition: the share of all ways to draw the high side whose rank sum is at least the one seen. */
function byCounting(high: readonly number[], low: readonly number[]): number {
  const all = [...high, ...low];
  const ranks = all.map(
    (value) => all.filter((one) => one < value).length + all.filter((one) => one === value).length / 2,
  );
  const sum = (members: readonly number[]) => members.reduce((total, at) => total + ranks[at]!, 0);
  const seen = sum(high.map((_, at) => at));
  let [ways, tail] = [0, 0];
  for (let set = 0; set < 2 ** all.length; set += 1) {
    const members = all.flatMap((_, at) => ((set >> at) & 1 ? [at] : []));
    if (members.length !== high.length) continue;
    ways += 1;
    if (sum(members) >= seen - 1e-9) tail += 1;
  }
  return tail / ways;
}

describe('the rank sum', () => {
  test('is exact with few values, ties and all, where it decides', () => {
    const side = fc.array(fc.integer({ min: 0, max: 12 }), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(side, side, fc.nat(12), (a, b, lift) => {
        const high = a.map((value) => value + lift);
        const got = rankSum(high, b, true)!;
        if (got.p < 0.02) expect(got.p).toBeCloseTo(byCounting(high, b), 10);
      }),
      { numRuns: 300 },
    );
  });

  test('above twelve values a side, where it is approximated, says no less than is true', () => {
    const random = seededRandom(3);
    const values = (n: number, lift: number) => Array.from({ length: n }, () => random() + lift);
    for (const lift of [0.5, 0.6, 0.7]) {
      const [high, low] = [values(12, lift), values(500, 0)];
      const [exact, near] = [rankSum(high, low, true)!.p, rankSum(high, low, false)!.p];
      expect(exact).toBeLessThan(0.02);
      expect(near).toBeGreaterThanOrEqual(exact);
    }
  });

  test('stays true where most values are one and the normal tail is too short: drawn by lot, a level is reached no more often than it says', () => {
    const random = seededRandom(5);
    const [draws, level] = [20_000, 0.002];
    let reached = 0;
    for (let draw = 0; draw < draws; draw += 1) {
      const values = Array.from({ length: 200 }, () => (random() < 0.06 ? random() : 0));
      if (rankSum(values.slice(0, 20), values.slice(20), true)!.p <= level) reached += 1;
    }
    // Three standard deviations of chance above the level.
    expect(reached / draws).toBeLessThanOrEqual(level + 3 * Math.sqrt(level / draws));
  });

  test('knows no difference between equal sides, and nothing of an empty one', () => {
    expect(rankSum([1, 1, 1], [1, 1], true)).toEqual({ p: 1, superiority: 0.5 });
    expect(rankSum([], [1], true)).toBeUndefined();
  });
});

describe('lot evidence', () => {
  test('is a fair bet: its expectation over the lot is 1, whatever shares and numbers', () => {
    const draws = fc.array(
      fc.record({ share: fc.double({ min: 0.01, max: 0.9, noNaN: true }), units: fc.integer({ min: 0, max: 4 }) }),
      {
        maxLength: 3,
      },
    );
    fc.assert(
      fc.property(draws, (all) => {
        let expectation = 0;
        const visit = (
          at: number,
          chance: number,
          seen: { share: number; candidate: number; stable: number }[],
        ): void => {
          const draw = all[at];
          if (draw === undefined) {
            expectation += chance * lotEvidence(seen);
            return;
          }
          for (let candidate = 0; candidate <= draw.units; candidate += 1) {
            const stable = draw.units - candidate;
            let ways = 1;
            for (let i = 0; i < candidate; i += 1) ways = (ways * (draw.units - i)) / (i + 1);
            const share = draw.share;
            visit(at + 1, chance * ways * share ** candidate * (1 - share) ** stable, [
              ...seen,
              { share, candidate, stable },
            ]);
          }
        };
        visit(0, 1, []);
        expect(expectation).toBeCloseTo(1, 8);
      }),
    );
  });

  test('reaches the level of a rollback in fewer than its share of fair lots, though it is looked at after every unit', () => {
    const random = seededRandom(11);
    const [lots, units, share] = [4000, 200, 0.05];
    let reached = 0;
    for (let lot = 0; lot < lots; lot += 1) {
      let [candidate, stable] = [0, 0];
      for (let unit = 0; unit < units; unit += 1) {
        if (random() < share) candidate += 1;
        else stable += 1;
        if (lotEvidence([{ share, candidate, stable }]) >= 1 / LEVELS.errors) {
          reached += 1;
          break;
        }
      }
    }
    expect(reached / lots).toBeLessThanOrEqual(LEVELS.errors);
  });
});

describe('looks', () => {
  test('come at doubling numbers of requests, each once, and spend no more than their level in all', () => {
    let [looks, spent] = [NO_LOOKS, 0];
    const at: number[] = [];
    for (let requests = 1; requests < 100_000; requests += 1) {
      const due = dueLook(looks, requests, 500);
      if (due === undefined) continue;
      at.push(requests);
      looks = due;
      spent += lookAlpha(0.01, looks);
    }
    expect(at.slice(0, 4)).toEqual([240, 480, 960, 1920]);
    expect(spent).toBeLessThan(0.01);
  });

  test('may roll back a version just like stable in less than 1 % of releases, all checks together', () => {
    const { latency, ...others } = LEVELS;
    const sum = [...Object.values(others), ...Object.values(latency)].reduce((all, level) => all + level, 0);
    expect(sum).toBeLessThan(0.01);
  });
});

describe('formulas', () => {
  test.each([
    [0, 0.5],
    [1.959964, 0.025],
    [-1.959964, 0.975],
    [3.719016, 1e-4],
    [5.199338, 1e-7],
  ])('the normal tail at %d is %d', (z, p) => {
    expect(normalTail(z) / p).toBeCloseTo(1, 5);
  });

  test('Jensen-Shannon is 0 for the same shares, 1 for none in common, and symmetric', () => {
    expect(divergence([1, 2, 3], [10, 20, 30])).toBeCloseTo(0, 12);
    expect(divergence([5, 0], [0, 7])).toBeCloseTo(1, 12);
    expect(divergence([9, 1], [1, 9])).toBeCloseTo(divergence([1, 9], [9, 1])!, 12);
    expect(divergence([9, 1], [1, 9])).toBeCloseTo(1 - 0.468996, 5);
    expect(divergence([], [1])).toBeUndefined();
  });
});
