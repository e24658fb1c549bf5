import type { ReleaseAudit } from '../ports/releases.ts';
import type { ReleasePlan } from './plan.ts';
import type { Release } from './release.ts';
import { enterStep } from './transitions.ts';

export type ReleaseStart = {
  readonly id: string;
  readonly model: string;
  readonly stable: string;
  readonly candidate: string;
  readonly plan: ReleasePlan;
  readonly by: string;
  readonly why: string;
};

/** A release of epoch 1: its candidate has no traffic and waits for capacity. Throws where candidate and stable are one version. */
export function startRelease(
  start: ReleaseStart,
  nowMs: number,
): { release: Release; audits: readonly ReleaseAudit[] } {
  const { id, model, stable, candidate, plan, by, why } = start;
  if (candidate === stable) throw new Error('a version is not released over itself');
  const blank: Release = {
    id,
    model,
    stable,
    candidate,
    plan,
    epoch: 0,
    stateEpoch: 0,
    attempt: 1,
    startedBy: by,
    startedAtMs: nowMs,
    // Never stored: what comes before the first step.
    state: { kind: 'escalated', step: -1, why: '' },
    share: { weight: 0, tenants: [], plans: [] },
    shadow: 0,
    warm: 0,
    looks: { total: 0, inStep: 0 },
    segments: [],
    verbs: [],
  };
  const entered = enterStep(blank, 0, by, why, nowMs);
  if (entered.kind === 'unchanged') throw new Error('a release enters its first step');
  return entered;
}
