import type { ReleaseAudit } from '../ports/releases.ts';
import { SECOND_MS } from '../units.ts';
import { BUCKETS_PER_PERCENT, NOBODY } from './assign.ts';
import { holdMs, isGate, type TrafficStep } from './plan.ts';
import { neededFor, type Release, type SegmentMark, stepOf } from './release.ts';

/** What became of a release; `audits` are stored with it in one write. */
export type Advance =
  | { readonly kind: 'changed'; readonly release: Release; readonly audits: readonly ReleaseAudit[] }
  /** Nothing: `why` tells a person whose verb had no effect. */
  | { readonly kind: 'unchanged'; readonly why: string };

export type Reason = { readonly by: string; readonly what: string; readonly why: string };

/** Capacity that comes and goes does not fill a record. */
const MOST_SEGMENTS = 50;

export function unchanged(why: string): Advance {
  return { kind: 'unchanged', why };
}

/** The release with some of it changed, one epoch on, and one state epoch on if its state is another one. */
export function changed(release: Release, parts: Partial<Release>, reason: Reason | undefined, nowMs: number): Advance {
  const moved = parts.state !== undefined && !isSameStay(parts.state, release.state);
  const next: Release = {
    ...release,
    ...parts,
    epoch: release.epoch + 1,
    stateEpoch: release.stateEpoch + (moved ? 1 : 0),
  };
  next.segments = marks(release, next, nowMs);
  const { id, model } = release;
  const audits = reason === undefined ? [] : [{ ...reason, release: id, model, epoch: next.epoch, atMs: nowMs }];
  return { kind: 'changed', release: next, audits };
}

/** Takes the candidate from everybody, at once and for good: stable is warm. */
export function rollBack(release: Release, by: string, why: string, nowMs: number): Advance {
  const state = { kind: 'rolled-back', to: release.stable, atMs: nowMs, why } as const;
  return changed(release, { state, share: copyOf(NOBODY), shadow: 0 }, { by, what: 'rolled back', why }, nowMs);
}

/** Goes to a step: waits at a gate, waits for capacity, or lets its traffic flow. */
export function enterStep(release: Release, index: number, by: string, why: string, nowMs: number): Advance {
  const { plan, warm } = release;
  const step = plan.steps[index];
  if (step === undefined) throw new Error(`there is no step ${index}`);
  if (isGate(step)) return enterGate(release, index, false, by, why, nowMs);
  if (warm >= neededFor(step)) return begin(release, index, step, { by, what: `step ${index + 1} began`, why }, nowMs);
  const state = { kind: 'scaling', step: index, untilMs: nowMs + plan.warmWithinS * SECOND_MS } as const;
  return changed(release, { state }, { by, what: `step ${index + 1} waits for capacity`, why }, nowMs);
}

/** Waits for people; `full`: once they approve it goes to the next gate or to everybody, and skips what lies between. */
export function enterGate(
  release: Release,
  index: number,
  full: boolean,
  by: string,
  why: string,
  nowMs: number,
): Advance {
  const step = release.plan.steps[index];
  if (step === undefined || !isGate(step)) throw new Error(`step ${index} is no gate`);
  const untilMs = nowMs + step.gate.timeoutS * SECOND_MS;
  const state = { kind: 'gated' as const, step: index, untilMs, approvals: [], full };
  return changed(release, { state }, { by, what: `gate of step ${index + 1} waits`, why }, nowMs);
}

/** Lets the traffic of a step flow, for which the candidate is warm. */
function begin(release: Release, index: number, step: TrafficStep, reason: Reason, nowMs: number): Advance {
  const { plan, share, looks } = release;
  const isLast = index === plan.steps.length - 1;
  const state = isLast
    ? ({ kind: 'watching', untilMs: nowMs + plan.watch.seconds * SECOND_MS } as const)
    : ({ kind: 'stepping', step: index, untilMs: nowMs + holdMs(step) } as const);
  const flowing =
    'shadow' in step ? { share, shadow: neededFor(step) } : { share: widened(share, step.setWeight), shadow: 0 };
  return changed(release, { state, ...flowing, looks: { ...looks, inStep: 0 } }, reason, nowMs);
}

function widened(
  share: Release['share'],
  to: Extract<TrafficStep, { setWeight: unknown }>['setWeight'],
): Release['share'] {
  if (typeof to === 'number') return { ...share, weight: Math.round(to * BUCKETS_PER_PERCENT) };
  if ('tenants' in to) return { ...share, tenants: union(share.tenants, to.tenants) };
  return { ...share, plans: union(share.plans, to.plans) };
}

function union(some: readonly string[], more: readonly string[]): string[] {
  return [...new Set([...some, ...more])];
}

function copyOf({ weight, tenants, plans }: typeof NOBODY): Release['share'] {
  return { weight, tenants: [...tenants], plans: [...plans] };
}

function isSameStay(a: Release['state'], b: Release['state']): boolean {
  return a.kind === b.kind && ('step' in a ? a.step : 0) === ('step' in b ? b.step : 0);
}

/** Closes the present segment and opens another one where the share or the step has changed. */
function marks(before: Release, after: Release, nowMs: number): SegmentMark[] {
  const flows = after.shadow > 0 || after.share.weight > 0 || after.share.tenants.length + after.share.plans.length > 0;
  const stays = before.shadow === after.shadow && before.share === after.share;
  if (stays) return after.segments;
  const closed = after.segments.map((mark) => (mark.untilMs === undefined ? { ...mark, untilMs: nowMs } : mark));
  if (!flows) return closed;
  const shadow = after.shadow > 0;
  const weight = shadow ? after.shadow : after.share.weight;
  return [...closed, { weight, shadow, step: stepOf(after), fromMs: nowMs }].slice(-MOST_SEGMENTS);
}
