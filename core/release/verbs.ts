import { SECOND_MS } from '../units.ts';
import { NOBODY } from './assign.ts';
import { isGate } from './plan.ts';
import { neededFor, type Release, type ReleaseState, type ResumableState } from './release.ts';
import { type Advance, changed, enterGate, enterStep, rollBack, unchanged } from './transitions.ts';

/**
 * What a person asks of a release. `id` names the request: sent again, it changes nothing.
 * promote: on to the next step, or end the watch. promote-full: to everybody, past holds and verdicts but not past gates.
 * retry: once more from the start, after `attempt` was rolled back. undo: to version `to`, which the model still has.
 */
export type Verb = { readonly kind: 'verb'; readonly id: string; readonly by: string; readonly why: string } & (
  | { readonly verb: 'promote' | 'promote-full' | 'pause' | 'resume' | 'abort' | 'approve' }
  | { readonly verb: 'retry'; readonly attempt: number }
  | { readonly verb: 'undo'; readonly to: string }
);

/** Retries of calls come within minutes. */
const MOST_VERBS = 100;

/** See `advance`. */
export function applyVerb(release: Release, verb: Verb, nowMs: number): Advance {
  if (release.verbs.includes(verb.id)) return unchanged('this was done before');
  const noted: Release = { ...release, verbs: [...release.verbs, verb.id].slice(-MOST_VERBS) };
  switch (verb.verb) {
    case 'promote':
      return promote(noted, verb, nowMs);
    case 'promote-full':
      return promoteFull(noted, verb, nowMs);
    case 'pause':
      return pause(noted, verb, nowMs);
    case 'resume':
      return resume(noted, verb, nowMs);
    case 'approve':
      return approve(noted, verb, nowMs);
    case 'abort':
      return abort(noted, verb, nowMs);
    case 'retry':
      return retry(noted, verb, verb.attempt, nowMs);
    case 'undo':
      return undo(noted, verb, verb.to, nowMs);
  }
}

function promote(release: Release, { by, why }: Verb, nowMs: number): Advance {
  const { state } = release;
  switch (state.kind) {
    case 'stepping':
    case 'escalated':
      return promoteFrom(release, state.step, by, why, nowMs);
    case 'watching':
      return changed(release, { state: { kind: 'promoted', atMs: nowMs } }, { by, what: 'promoted', why }, nowMs);
    case 'scaling':
      return unchanged('the candidate is not warm enough yet');
    case 'gated':
      return unchanged('the gate is to be approved');
    case 'paused':
      return unchanged('it is paused: resume it first');
    default:
      return unchanged('it has ended');
  }
}

/** A step that escalated for want of capacity has not begun: it is the one to go on with. */
function promoteFrom(release: Release, step: number, by: string, why: string, nowMs: number): Advance {
  const planned = release.plan.steps[step];
  const hasBegun = planned !== undefined && Math.max(release.share.weight, release.shadow) >= neededFor(planned);
  const isNamed = planned !== undefined && 'setWeight' in planned && typeof planned.setWeight !== 'number';
  return enterStep(
    release,
    hasBegun || isNamed ? Math.min(step + 1, release.plan.steps.length - 1) : step,
    by,
    why,
    nowMs,
  );
}

function promoteFull(release: Release, { by, why }: Verb, nowMs: number): Advance {
  const { state } = release;
  if (state.kind !== 'stepping' && state.kind !== 'escalated' && state.kind !== 'scaling')
    return unchanged(`it cannot be promoted to everybody while ${state.kind}`);
  return enterFull(release, state.step, by, why, nowMs);
}

/** The next gate after a step, or the last step. */
function enterFull(release: Release, from: number, by: string, why: string, nowMs: number): Advance {
  const { steps } = release.plan;
  const gate = steps.findIndex((step, index) => index > from && isGate(step));
  if (gate >= 0) return enterGate(release, gate, true, by, why, nowMs);
  const last = steps.length - 1;
  if (release.state.kind === 'scaling' && release.state.step === last)
    return unchanged('it is on its way to everybody');
  return enterStep(release, last, by, why, nowMs);
}

function pause(release: Release, { by, why }: Verb, nowMs: number): Advance {
  const { state } = release;
  if (!isResumable(state)) return unchanged(`it cannot be paused while ${state.kind}`);
  return changed(
    release,
    { state: { kind: 'paused', sinceMs: nowMs, from: state } },
    { by, what: 'paused', why },
    nowMs,
  );
}

function resume(release: Release, { by, why }: Verb, nowMs: number): Advance {
  const { state } = release;
  if (state.kind !== 'paused') return unchanged('it is not paused');
  // What was left of a hold, a watch or a gate's time is left of it still.
  const untilMs = state.from.untilMs + Math.max(0, nowMs - state.sinceMs);
  return changed(release, { state: { ...state.from, untilMs } }, { by, what: 'resumed', why }, nowMs);
}

function approve(release: Release, { by, why }: Verb, nowMs: number): Advance {
  const { state, plan } = release;
  if (state.kind !== 'gated') return unchanged('it is at no gate');
  if (state.approvals.includes(by)) return unchanged('you approved it before: another person is asked for');
  const step = plan.steps[state.step];
  if (step === undefined || !isGate(step)) throw new Error(`step ${state.step} is no gate`);
  const approvals = [...state.approvals, by];
  if (approvals.length < step.gate.people)
    return changed(
      release,
      { state: { ...state, approvals } },
      { by, what: `gate of step ${state.step + 1} approved`, why },
      nowMs,
    );
  const reason = `approved by ${approvals.join(' and ')}: ${why}`;
  return state.full
    ? enterFull(release, state.step, by, reason, nowMs)
    : enterStep(release, state.step + 1, by, reason, nowMs);
}

/** In every state: what was promoted goes back to what was stable before. */
function abort(release: Release, verb: Verb, nowMs: number): Advance {
  const { state, stable } = release;
  if (state.kind === 'rolled-back' || state.kind === 'undoing') return unchanged('it is rolled back');
  if (state.kind === 'promoted') return undo(release, verb, stable, nowMs);
  return rollBack(release, verb.by, verb.why, nowMs);
}

function undo(release: Release, { by, why }: Verb, to: string, nowMs: number): Advance {
  const { state, stable, candidate, plan } = release;
  const hasEnded = state.kind === 'promoted' || state.kind === 'rolled-back';
  const isActive = !hasEnded && state.kind !== 'undoing';
  if (isActive && to === stable) return rollBack(release, by, why, nowMs);
  if ((state.kind === 'rolled-back' || state.kind === 'undoing') && state.to === to) return unchanged(`${to} it is`);
  if (state.kind === 'promoted' && to === candidate) return unchanged(`${to} it is`);
  const serving = servingOf(state, stable, candidate);
  const undoing = { kind: 'undoing' as const, serving, to, untilMs: nowMs + plan.warmWithinS * SECOND_MS, why };
  const nobody = { weight: 0, tenants: [...NOBODY.tenants], plans: [...NOBODY.plans] };
  return changed(release, { state: undoing, share: nobody, shadow: 0 }, { by, what: `undo to ${to}`, why }, nowMs);
}

function servingOf(state: ReleaseState, stable: string, candidate: string): string {
  if (state.kind === 'promoted') return candidate;
  if (state.kind === 'rolled-back') return state.to;
  return state.kind === 'undoing' ? state.serving : stable;
}

function retry(release: Release, { by, why }: Verb, attempt: number, nowMs: number): Advance {
  const { state, stable, plan } = release;
  if (state.kind !== 'rolled-back' || state.to !== stable)
    return unchanged('only what was rolled back to stable is tried again');
  if (attempt !== release.attempt) return unchanged(`attempt ${attempt} is not the last one`);
  const fresh = { ...release, attempt: attempt + 1, warm: 0, looks: { total: 0, inStep: 0 }, segments: [] };
  const { verdict: _, ...unjudged } = fresh;
  const first = plan.steps[0];
  if (first === undefined) throw new Error('a plan has steps');
  return enterStep(unjudged, 0, by, `attempt ${attempt + 1}: ${why}`, nowMs);
}

function isResumable(state: ReleaseState): state is ResumableState {
  return state.kind === 'scaling' || state.kind === 'stepping' || state.kind === 'gated' || state.kind === 'watching';
}
