import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type Asker,
  BUCKETS,
  bucketOf,
  cohortOf,
  cohortsBelow,
  inShare,
  unitHash,
} from '../../../core/release/assign.ts';

const asker: fc.Arbitrary<Asker> = fc.record({
  tenant: fc.constantFrom('acme', 'globex', 'initech'),
  plan: fc.constantFrom('free', 'pro'),
  user: fc.string(),
  request: fc.string(),
});
const names = fc.subarray(['acme', 'globex', 'initech']);
const share = fc.record({ weight: fc.nat(BUCKETS), tenants: names, plans: fc.subarray(['free', 'pro']) });

function user(at: number): Asker {
  return { tenant: `tenant-${at % 97}`, plan: 'pro', user: `user-${at}`, request: '' };
}

describe('the share of a release', () => {
  test('only ever gains units as it grows, in weight or in names', () => {
    fc.assert(
      fc.property(asker, fc.string(), share, share, (one, release, a, b) => {
        const wider = {
          weight: Math.max(a.weight, b.weight),
          tenants: [...a.tenants, ...b.tenants],
          plans: [...a.plans, ...b.plans],
        };
        const bucket = bucketOf(release, 'user', one);
        if (inShare(a, bucket, one)) expect(inShare(wider, bucket, one)).toBe(true);
      }),
      { numRuns: 1000 },
    );
  });

  test('is nobody at no weight and everybody at full weight', () => {
    fc.assert(
      fc.property(asker, fc.string(), (one, release) => {
        const bucket = bucketOf(release, 'user', one);
        expect(inShare({ weight: 0, tenants: [], plans: [] }, bucket, one)).toBe(false);
        expect(inShare({ weight: BUCKETS, tenants: [], plans: [] }, bucket, one)).toBe(true);
      }),
    );
  });

  test('keeps a user or a tenant on one version whatever else differs, and draws every request anew if so asked', () => {
    fc.assert(
      fc.property(asker, asker, fc.string(), (a, b, release) => {
        const sameUser = { ...b, tenant: a.tenant, user: a.user };
        expect(bucketOf(release, 'user', sameUser)).toBe(bucketOf(release, 'user', a));
        expect(bucketOf(release, 'tenant', { ...b, tenant: a.tenant })).toBe(bucketOf(release, 'tenant', a));
      }),
    );
    const buckets = Array.from({ length: 100 }, (_, at) =>
      bucketOf('rel', 'request', { ...user(1), request: `pred_${at}` }),
    );
    expect(new Set(buckets).size).toBeGreaterThan(90);
  });

  test.each([100, 500, 2500])('has its weight of %d buckets of users, within four standard deviations', (weight) => {
    const users = 100_000;
    let drawn = 0;
    for (let at = 0; at < users; at += 1) if (bucketOf('rel_1', 'user', user(at)) < weight) drawn += 1;
    const p = weight / BUCKETS;
    expect(Math.abs(drawn - users * p)).toBeLessThan(4 * Math.sqrt(users * p * (1 - p)));
  });

  test('is drawn anew by each release, and a sample of its units says nothing of their buckets', () => {
    const [users, half] = [20_000, BUCKETS / 2];
    let [both, low] = [0, 0];
    for (let at = 0; at < users; at += 1) {
      const isIn = bucketOf('rel_1', 'user', user(at)) < half;
      if (isIn && bucketOf('rel_2', 'user', user(at)) < half) both += 1;
      if (isIn && unitHash('rel_1', 'user', user(at)) < 2 ** 31) low += 1;
    }
    const deviation = 4 * Math.sqrt((users * 3) / 16);
    expect(Math.abs(both - users / 4)).toBeLessThan(deviation);
    expect(Math.abs(low - users / 4)).toBeLessThan(deviation);
  });

  test('never splits a cohort that is counted for one side', () => {
    fc.assert(
      fc.property(fc.nat(BUCKETS - 1), fc.nat(BUCKETS), (bucket, weight) => {
        const { below, firstAbove } = cohortsBelow(weight);
        const cohort = cohortOf(bucket);
        if (cohort < below) expect(bucket).toBeLessThan(weight);
        if (cohort >= firstAbove) expect(bucket).toBeGreaterThanOrEqual(weight);
      }),
    );
  });
});
