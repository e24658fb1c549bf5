import { BUCKETS } from './assign.ts';
import { fitToCapacity } from './fit-capacity.ts';
import { escalateMs, isGate } from './plan.ts';
import type { Release } from './release.ts';
import { type Advance, changed, enterStep, rollBack, unchanged } from './transitions.ts';
import { applyVerb, type Verb } from './verbs.ts';
import type { Verdict } from './verdict.ts';

/** What may happen to a release. What a driver, a late task token or a retried call brings twice changes nothing the second time. */
export type ReleaseEvent =
  /** Time has passed. */
  | { readonly kind: 'tick' }
  /** What a step came to so far, asked for when the release was in `stateEpoch`: late ones are ignored. */
  | { readonly kind: 'verdict'; readonly stateEpoch: number; readonly verdict: Verdict }
  /** The candidate of this attempt is beyond a hard limit. */
  | { readonly kind: 'hard-limit'; readonly attempt: number; readonly why: string }
  /** Share of all traffic, in buckets, that warm workers of a version can take now. */
  | { readonly kind: 'capacity'; readonly version: string; readonly warm: number }
  | Verb;

/**
 * What becomes of a release: the one decision that every driver makes, in both hosts. Pure, for any event in any state and order.
 *
 * - An abort ends the candidate's traffic in every state, and after it only a retry of that attempt or an undo changes anything.
 * - The candidate's weight is never above what it is warm for, and never above the step's.
 * - A verdict that fails, and a hard limit, end it in every state in which it has traffic, paused or not.
 * - Nothing but verdicts that pass, or a person, moves a release to a higher step; a person passes no gate alone that asks for two.
 * - Applying an event again to its own result changes nothing.
 * The result is to be written on the condition that the stored epoch is `release.epoch`; on a conflict read again and decide again.
 */
export function advance(release: Release, event: ReleaseEvent, nowMs: number): Advance {
  switch (event.kind) {
    case 'tick':
      return onTick(release, nowMs);
    case 'verdict':
      return onVerdict(release, event, nowMs);
    case 'hard-limit':
      if (event.attempt !== release.attempt || !hasCandidate(release)) return unchanged('it has no candidate any more');
      return rollBack(release, 'sluice', event.why, nowMs);
    case 'capacity':
      return onCapacity(release, event, nowMs);
    case 'verb':
      return applyVerb(release, event, nowMs);
  }
}

function onTick(release: Release, nowMs: number): Advance {
  const { state, plan } = release;
  if (!('untilMs' in state) || nowMs < state.untilMs) return unchanged('nothing is due');
  switch (state.kind) {
    case 'scaling': {
      const why = `the candidate had no warm capacity for step ${state.step + 1} within ${plan.warmWithinS} s`;
      if (release.segments.length === 0) return rollBack(release, 'sluice', why, nowMs);
      return changed(
        release,
        { state: { kind: 'escalated', step: state.step, why } },
        audit('sluice', 'escalated', why),
        nowMs,
      );
    }
    case 'gated':
      return rollBack(release, 'sluice', `the gate of step ${state.step + 1} was not approved in time`, nowMs);
    case 'watching':
      return changed(
        release,
        { state: { kind: 'promoted', atMs: nowMs } },
        audit('sluice', 'promoted', 'the watch has ended'),
        nowMs,
      );
    case 'undoing':
      return arrive(release, state, nowMs);
    case 'stepping':
      return escalateIfLate(release, state.step, state.untilMs, 'no verdict was reached', nowMs);
  }
}

function onVerdict(
  release: Release,
  { stateEpoch, verdict }: Extract<ReleaseEvent, { kind: 'verdict' }>,
  nowMs: number,
): Advance {
  if (stateEpoch !== release.stateEpoch || !hasCandidate(release)) return unchanged('the verdict is late');
  const judged: Release = { ...release, verdict: stored(verdict), looks: verdict.looks };
  if (verdict.outcome === 'fail') return rollBack(judged, 'sluice', verdict.sentence, nowMs);
  const { state } = release;
  if (state.kind === 'stepping' && nowMs >= state.untilMs) {
    if (verdict.outcome === 'pass') return enterStep(judged, state.step + 1, 'sluice', verdict.sentence, nowMs);
    const escalated = escalateIfLate(judged, state.step, state.untilMs, verdict.sentence, nowMs);
    if (escalated.kind === 'changed') return escalated;
  }
  const isKnown = release.verdict?.outcome === verdict.outcome && release.looks.total === verdict.looks.total;
  if (isKnown) return unchanged('the verdict is the same');
  return changed(release, { verdict: judged.verdict, looks: judged.looks }, undefined, nowMs);
}

function escalateIfLate(release: Release, step: number, untilMs: number, reason: string, nowMs: number): Advance {
  const planned = release.plan.steps[step];
  if (planned === undefined || isGate(planned)) throw new Error(`step ${step} has no traffic`);
  if (nowMs < untilMs + escalateMs(planned)) return unchanged('it may still be sure in time');
  const why = `step ${step + 1} is not decided: ${reason}`;
  return changed(release, { state: { kind: 'escalated', step, why } }, audit('sluice', 'escalated', why), nowMs);
}

function onCapacity(
  release: Release,
  { version, warm }: Extract<ReleaseEvent, { kind: 'capacity' }>,
  nowMs: number,
): Advance {
  const { state } = release;
  if (state.kind === 'undoing' && version === state.to && warm >= BUCKETS) return arrive(release, state, nowMs);
  if (version !== release.candidate || !hasCandidate(release)) return unchanged('not a version that it waits for');
  return fitToCapacity(release, Math.max(0, Math.min(BUCKETS, Math.floor(warm))), nowMs);
}

function arrive(release: Release, { to, why }: Extract<Release['state'], { kind: 'undoing' }>, nowMs: number): Advance {
  return changed(
    release,
    { state: { kind: 'rolled-back', to, atMs: nowMs, why } },
    audit('sluice', 'undone', `${to} answers: ${why}`),
    nowMs,
  );
}

function hasCandidate({ state }: Release): boolean {
  return state.kind !== 'promoted' && state.kind !== 'rolled-back' && state.kind !== 'undoing';
}

function audit(by: string, what: string, why: string) {
  return { by, what, why };
}

/** As the record keeps it: what is undefined is left out. */
function stored(verdict: Verdict): NonNullable<Release['verdict']> {
  const checks = verdict.checks.map(({ name, outcome, sentence, stable, candidate }) => ({
    name,
    outcome,
    sentence,
    ...(stable === undefined ? {} : { stable }),
    ...(candidate === undefined ? {} : { candidate }),
  }));
  return { ...verdict, looks: { ...verdict.looks }, checks };
}
