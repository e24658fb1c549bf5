import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { allocate } from '../../../core/cost/allocate.ts';
import { NANO_USD, priceDay } from '../../../core/cost/price-day.ts';
import { usdPerHour } from '../../../core/cost/price-list.ts';
import { COST_KEYS, CostSums, sumSpent } from '../../../core/cost/sum-cost.ts';
import type { MeterRecord } from '../../../core/ports/meters.ts';
import { HOUR_MS } from '../../../core/units.ts';
import { aMeterRecord, aUse } from '../../support/meters.ts';

const weight = fc.oneof(fc.constant(0), fc.double({ min: 0, max: 1e12, noNaN: true }));

test('shares of a whole number are whole, add up to it, and are each less than one from what they should be', () => {
  fc.assert(
    fc.property(fc.nat(1e12), fc.array(weight, { minLength: 1, maxLength: 50 }), (whole, weights) => {
      const shares = allocate(whole, weights);
      expect(shares.reduce((sum, share) => sum + share, 0)).toBe(whole);
      const sum = weights.reduce((total, each) => total + each, 0);
      for (const [at, share] of shares.entries()) {
        expect(Number.isInteger(share) && share >= 0).toBe(true);
        if (sum > 0) expect(Math.abs(share - whole * (weights[at]! / sum))).toBeLessThanOrEqual(1 + whole * 1e-12);
        if (sum > 0 && weights[at] === 0) expect(share).toBe(0);
      }
    }),
  );
});

const record = fc
  .record({
    writer: fc.constantFrom('a', 'b', 'c'),
    part: fc.nat(3),
    day: fc.constantFrom(100, 101),
    pool: fc.constantFrom('default', 'gpu'),
    usdPerHour: fc.double({ min: 0, max: 100, noNaN: true }),
    upMs: fc.double({ min: 0, max: 86_400_000, noNaN: true }),
    runners: fc.integer({ min: 1, max: 8 }),
    uses: fc.array(
      fc.record({
        tenant: fc.constantFrom('acme', 'globex', ''),
        model: fc.constantFrom('m', 'n'),
        version: fc.constantFrom('1', '2'),
        computeMs: fc.double({ min: 0, max: 1e9, noNaN: true }),
        rows: fc.nat(1000),
        requests: fc.nat(1000),
      }),
      { maxLength: 6 },
    ),
  })
  .map(({ writer, part, day, uses, ...worker }) => aMeterRecord(0, { writer, part, day, uses, worker }));

/** By name once each, as a store gives them. */
const records = fc.uniqueArray(record, {
  maxLength: 12,
  selector: ({ day, writer, part }) => `${day} ${writer} ${part}`,
});

describe('what workers cost', () => {
  test('is what all tenants pay and what was idle, to the billionth of a dollar, whoever it is summed up by', () => {
    fc.assert(
      fc.property(records, (all) => {
        const priced = priceDay(all);
        const workers = priced.workers.reduce((sum, { nanoUsd }) => sum + nanoUsd, 0);
        for (const by of COST_KEYS) {
          const sums = new CostSums(by);
          sums.add(priced);
          for (const most of [1, 1000]) {
            const { nanoUsd, idleNanoUsd, lines, rest } = sums.sum(most);
            const used = sumSpent([...lines.map(({ spent }) => spent), ...(rest === undefined ? [] : [rest])]);
            expect(nanoUsd).toBe(workers);
            expect(used.nanoUsd + idleNanoUsd).toBe(nanoUsd);
            expect(idleNanoUsd).toBeGreaterThanOrEqual(0);
            expect(used.requests).toBe(
              all.flatMap(({ uses }) => uses).reduce((sum, { requests }) => sum + requests, 0),
            );
          }
        }
      }),
    );
  });

  test('is for one tenant the same, whoever else was there', () => {
    const hour = (...uses: MeterRecord['uses']) =>
      priceDay([aMeterRecord(0, { uses, worker: { upMs: HOUR_MS, runners: 4, usdPerHour: 1 } })]);
    const own = aUse({ computeMs: HOUR_MS / 2 });
    const alone = hour(own);
    const crowded = hour(own, aUse({ tenant: 'globex', computeMs: 2 * HOUR_MS }));
    // Half an hour of one of four runners of a dollar an hour.
    expect(alone.uses[0]!.nanoUsd * NANO_USD).toBeCloseTo(0.125, 9);
    expect(crowded.uses[0]!.nanoUsd).toBe(alone.uses[0]!.nanoUsd);
    expect(crowded.uses[1]!.nanoUsd * NANO_USD).toBeCloseTo(0.5, 9);
    expect(crowded.workers[0]!.idleNanoUsd * NANO_USD).toBeCloseTo(0.375, 9);
  });

  test('is shared out by compute where more was computed than there was time for', () => {
    const uses = [aUse({ computeMs: 3 * HOUR_MS }), aUse({ tenant: 'globex', computeMs: HOUR_MS })];
    const { uses: priced, workers } = priceDay([
      aMeterRecord(0, { uses, worker: { upMs: HOUR_MS, runners: 1, usdPerHour: 1 } }),
    ]);
    expect(priced.map(({ nanoUsd }) => nanoUsd * NANO_USD)).toEqual([0.75, 0.25]);
    expect(workers[0]!.idleNanoUsd).toBe(0);
  });

  test('takes the parts of a writer for one worker, and two writers for two', () => {
    const part = (changes: object) =>
      aMeterRecord(0, { uses: [], worker: { upMs: HOUR_MS, usdPerHour: 1 }, ...changes });
    const one = priceDay([part({ part: 0 }), part({ part: 1 })]);
    expect(one.workers.map(({ upMs, nanoUsd }) => [upMs, nanoUsd])).toEqual([[2 * HOUR_MS, 2e9]]);
    expect(priceDay([part({}), part({ writer: 'other' })]).workers).toHaveLength(2);
  });

  test('is idle of GPU workers apart from others', () => {
    const worker = { upMs: HOUR_MS, runners: 1, usdPerHour: 1 };
    const sums = new CostSums('pool');
    const half = [aUse({ computeMs: HOUR_MS / 2 })];
    sums.add(priceDay([aMeterRecord(0, { uses: half, worker: { ...worker, gpu: true, pool: 'gpu' } })]));
    expect(sums.sum(9).gpuIdleShare).toBeCloseTo(0.5, 6);
    sums.add(priceDay([aMeterRecord(0, { uses: [], worker: { ...worker, gpu: false, pool: 'cpu' } })]));
    expect(sums.sum(9).gpuIdleShare).toBeCloseTo(0.5, 6);
    expect(sums.sum(9).lines.map(({ key, idle }) => [key.pool, idle!.gpu, idle!.kinds])).toEqual([
      ['cpu', false, ['g5.xlarge spot']],
      ['gpu', true, ['g5.xlarge spot']],
    ]);
  });
});

test('a worker costs what is listed for its type and how it is bought, else what its runners cost', () => {
  const prices = { 'g5.xlarge': { 'on-demand': 1, spot: 0.4 } };
  const price = (instanceType: string, purchase: 'on-demand' | 'spot' | 'mixed') =>
    usdPerHour(prices, { instanceType, purchase }, { runners: 4, usdPerComputeHour: 0.05 });
  expect([price('g5.xlarge', 'on-demand'), price('g5.xlarge', 'spot')]).toEqual([1, 0.4]);
  expect([price('g5.xlarge', 'mixed'), price('g6.xlarge', 'spot')]).toEqual([0.2, 0.2]);
});
