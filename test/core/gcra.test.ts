import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { takeUnits } from '../../core/tenancy/gcra.ts';

const policies = fc.record({
  ratePerMs: fc.double({ min: 0.001, max: 50, noNaN: true }),
  burst: fc.integer({ min: 1, max: 5000 }),
});
const steps = fc.array(
  fc.record({
    waitMs: fc.double({ min: 0, max: 500, noNaN: true }),
    needed: fc.integer({ min: 1, max: 20 }),
    extra: fc.integer({ min: 0, max: 50 }),
  }),
  { minLength: 1, maxLength: 200 },
);

describe('GCRA', () => {
  it('never grants more than burst + rate × time within any window', () => {
    fc.assert(
      fc.property(policies, steps, (policy, calls) => {
        let tatMs = 0;
        let nowMs = 1_000_000;
        const grants: { atMs: number; units: number }[] = [];
        for (const { waitMs, needed, extra } of calls) {
          nowMs += waitMs;
          const answer = takeUnits(policy, tatMs, needed, needed + extra, nowMs);
          tatMs = answer.tatMs;
          grants.push({ atMs: nowMs, units: answer.granted });
        }
        for (let from = 0; from < grants.length; from += 1) {
          let units = 0;
          let latestMs = grants[from]?.atMs ?? 0;
          for (const grant of grants.slice(from)) {
            units += grant.units;
            latestMs = Math.max(latestMs, grant.atMs);
            const windowMs = latestMs - (grants[from]?.atMs ?? 0);
            expect(units).toBeLessThanOrEqual(policy.burst + policy.ratePerMs * windowMs + 1e-3);
          }
        }
      }),
      { numRuns: 200 },
    );
  });

  it('never moves its stored time backwards, whatever the clock does', () => {
    fc.assert(
      fc.property(policies, steps, (policy, calls) => {
        let tatMs = 0;
        let nowMs = 1_000_000;
        for (const { waitMs, needed, extra } of calls) {
          nowMs += waitMs * 100 - 20_000;
          const answer = takeUnits(policy, tatMs, needed, needed + extra, nowMs);
          expect(answer.tatMs).toBeGreaterThanOrEqual(tatMs);
          tatMs = answer.tatMs;
        }
      }),
    );
  });

  it('grants what it promised after retryAfterMs, and not much before', () => {
    fc.assert(
      fc.property(policies, fc.integer({ min: 1, max: 20 }), (policy, needed) => {
        fc.pre(needed <= policy.burst);
        const drained = takeUnits(policy, 0, 1, policy.burst, 1_000_000);
        const refused = takeUnits(policy, drained.tatMs, needed, needed, 1_000_000);
        expect(refused.granted).toBe(0);
        const later = 1_000_000 + refused.retryAfterMs;
        expect(takeUnits(policy, drained.tatMs, needed, needed, later + 0.001).granted).toBe(needed);
        expect(takeUnits(policy, drained.tatMs, needed, needed, later - 1.5 / policy.ratePerMs).granted).toBe(0);
      }),
    );
  });

  it('says that more than the burst will never be granted', () => {
    expect(takeUnits({ ratePerMs: 1, burst: 10 }, 0, 11, 11, 1000).retryAfterMs).toBe(Number.POSITIVE_INFINITY);
  });
});
