import { NOBODY, type Share } from '../../core/release/assign.ts';
import { type ReleasePlan, readReleasePlan } from '../../core/release/plan.ts';
import type { Release } from '../../core/release/release.ts';
import { startRelease } from '../../core/release/start.ts';

/** A release of model `m` from version 1 to 2 with traffic on it: nobody's, unless told otherwise. */
export function aRelease(changes: Partial<Release> = {}, plan: object = { steps: [{ setWeight: 100 }] }): Release {
  const { release } = startRelease(
    {
      id: 'rel_1',
      model: 'm',
      stable: '1',
      candidate: '2',
      plan: readReleasePlan(plan) as ReleasePlan,
      by: 'key:1',
      why: 'better',
    },
    0,
  );
  const state = { kind: 'stepping' as const, step: 0, untilMs: Number.MAX_SAFE_INTEGER };
  return { ...release, state, share: { weight: 0, tenants: [], plans: [] }, ...changes };
}

/** Changes of a release that puts so many buckets, and these tenants, on its candidate. */
export function shareOf(weight: number, names: Partial<Share> = {}): Release['share'] {
  const { tenants = NOBODY.tenants, plans = NOBODY.plans } = names;
  return { weight, tenants: [...tenants], plans: [...plans] };
}

/** The next record of a release that is rolled back, to its stable version unless told otherwise. */
export function rolledBack(release: Release, atMs: number, to = release.stable): Release {
  return {
    ...release,
    epoch: release.epoch + 1,
    stateEpoch: release.stateEpoch + 1,
    state: { kind: 'rolled-back', to, atMs, why: 'a test' },
    share: shareOf(0),
    shadow: 0,
  };
}
