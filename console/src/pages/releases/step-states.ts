import type { ReleaseDetail } from '../../../../clients/typescript/schema.ts';
import { isGate, type PlanStep, stateOf, type Tone } from './release-words.ts';

/** A step of a release's plan, and what became of it in the present attempt. */
export type StepState = {
  readonly step: PlanStep;
  /** From 1. */
  readonly number: number;
  readonly kind: 'done' | 'skipped' | 'now' | 'ended-here' | 'ahead';
  readonly tone: Tone;
  /** While its traffic flowed; undefined where there was none, or where that is not known any more. */
  readonly fromMs: number | undefined;
  readonly untilMs: number | undefined;
};

export function stepStates(release: ReleaseDetail): readonly StepState[] {
  const { plan, state, segments } = release;
  const isOver = state === 'promoted' || state === 'watching';
  const lastFlowed = segments.reduce((last, { step }) => Math.max(last, step ?? 0), 0);
  // Of what has ended nothing but its traffic tells how far it came.
  const at = isOver ? plan.steps.length + 1 : (release.step ?? Math.max(1, lastFlowed));
  const areKnown = segments.length < 50 && segments.every(({ step }) => step !== null);
  return plan.steps.map((step, index) => {
    const number = index + 1;
    const own = segments.filter((segment) => segment.step === number);
    const times = {
      fromMs: own[0]?.from_ms,
      untilMs: own.at(-1)?.until_ms ?? undefined,
    };
    const wasSkipped = areKnown && !isGate(step) && own.length === 0;
    const kind = number > at ? 'ahead' : number < at ? (wasSkipped ? 'skipped' : 'done') : endedOrNow(release);
    return { step, number, kind, tone: toneOf(kind, release), ...times };
  });
}

function endedOrNow({ state }: ReleaseDetail): 'now' | 'ended-here' {
  return state === 'rolled-back' || state === 'undoing' ? 'ended-here' : 'now';
}

function toneOf(kind: StepState['kind'], release: ReleaseDetail): Tone {
  switch (kind) {
    case 'done':
      return 'success';
    case 'skipped':
      return 'stopped';
    case 'ended-here':
      return 'error';
    case 'now':
      return stateOf(release).tone;
    case 'ahead':
      return release.state === 'rolled-back' || release.state === 'undoing' ? 'stopped' : 'pending';
  }
}
