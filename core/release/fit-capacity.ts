import { neededFor, type Release, stepOf } from './release.ts';
import { type Advance, changed, enterStep, unchanged } from './transitions.ts';

/**
 * The release once its candidate is warm for `warm` buckets: a step that waited for as much begins; traffic for which there is no capacity any more
 * goes back to stable, which is warm for all of it, and the step waits again.
 */
export function fitToCapacity(release: Release, warm: number, nowMs: number): Advance {
  const { state, plan, share, shadow } = release;
  const known: Release = { ...release, warm };
  const step = plan.steps[stepOf(release)];
  if (state.kind === 'scaling' && step !== undefined && warm >= neededFor(step))
    return enterStep(known, state.step, 'sluice', `the candidate is warm for ${warm / 100} %`, nowMs);
  const named = share.tenants.length + share.plans.length > 0;
  if (share.weight <= warm && shadow <= warm && (!named || warm > 0)) {
    if (warm === release.warm) return unchanged('the capacity is the same');
    return changed(release, { warm }, undefined, nowMs);
  }
  const fitting = {
    warm,
    share: {
      weight: Math.min(share.weight, warm),
      tenants: warm > 0 ? share.tenants : [],
      plans: warm > 0 ? share.plans : [],
    },
    shadow: Math.min(shadow, warm),
  };
  const why = `the candidate is warm for ${warm / 100} % only`;
  return changed(
    release,
    { ...fitting, state: waiting(release, nowMs) },
    { by: 'sluice', what: 'traffic reduced', why },
    nowMs,
  );
}

/** Steps and watches wait for capacity again; who waits for people goes on doing so. */
function waiting(release: Release, nowMs: number): Release['state'] {
  const { state, plan } = release;
  const untilMs = nowMs + plan.warmWithinS * 1000;
  const scaling = { kind: 'scaling' as const, step: stepOf(release), untilMs };
  if (state.kind === 'stepping' || state.kind === 'watching') return scaling;
  if (state.kind === 'paused' && (state.from.kind === 'stepping' || state.from.kind === 'watching'))
    return { ...state, from: scaling };
  return state;
}
