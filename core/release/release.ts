import { z } from 'zod';
import { BUCKETS, BUCKETS_PER_PERCENT, NOBODY, type Share } from './assign.ts';
import { isGate, releasePlanSchema, type Step } from './plan.ts';
import { CHECKS } from './verdict.ts';

const ms = z.number();
const version = z.string();
const at = z.strictObject;

/** scaling: the candidate gets capacity for a step, and traffic stays as it was. stepping: the step's traffic flows, at least until `untilMs`. */
const resumable = z.discriminatedUnion('kind', [
  at({ kind: z.literal('scaling'), step: z.int(), untilMs: ms }),
  at({ kind: z.literal('stepping'), step: z.int(), untilMs: ms }),
  at({ kind: z.literal('gated'), step: z.int(), untilMs: ms, approvals: z.array(z.string()), full: z.boolean() }),
  at({ kind: z.literal('watching'), untilMs: ms }),
]);

/** paused, escalated: traffic stays as it is until a person says how it goes on; a verdict or a hard limit may still end it. */
const stateSchema = z.discriminatedUnion('kind', [
  ...resumable.options,
  at({ kind: z.literal('paused'), sinceMs: ms, from: resumable }),
  at({ kind: z.literal('escalated'), step: z.int(), why: z.string() }),
  /** On its way to a version that is not warm yet; `serving` answers until it is, or until `untilMs`. */
  at({ kind: z.literal('undoing'), serving: version, to: version, untilMs: ms, why: z.string() }),
  at({ kind: z.literal('promoted'), atMs: ms }),
  at({ kind: z.literal('rolled-back'), to: version, atMs: ms, why: z.string() }),
]);

const looks = at({ total: z.int(), inStep: z.int() });

const verdictSchema = at({
  outcome: z.enum(['pass', 'fail', 'inconclusive']),
  sentence: z.string(),
  checks: z.array(
    at({
      name: z.enum(CHECKS),
      outcome: z.enum(['pass', 'fail', 'inconclusive', 'absent']),
      stable: z.number().optional(),
      candidate: z.number().optional(),
      sentence: z.string(),
    }),
  ),
  requests: z.number(),
  looks,
});

/** A time in which the candidate's share stayed as it was; `untilMs` is undefined of the present one. */
const segmentMark = at({
  weight: z.int(),
  shadow: z.boolean(),
  /** The step that it was at; undefined of releases that were made before steps were noted. */
  step: z.int().optional(),
  fromMs: ms,
  untilMs: ms.optional(),
});

/** One release of one version of a model, as it is stored. */
export const releaseSchema = at({
  id: z.string(),
  model: z.string(),
  /** What answered before, and answers whoever is not on the candidate. */
  stable: version,
  candidate: version,
  plan: releasePlanSchema,
  /** Grows with every change: writes are conditional on it. */
  epoch: z.int().min(1),
  /** Grows when `state` changes kind or step: what was asked for in an earlier one is late. */
  stateEpoch: z.int().min(1),
  /** 1, and one more with every retry, which draws a new lot. */
  attempt: z.int().min(1),
  startedBy: z.string(),
  startedAtMs: ms,
  state: stateSchema,
  /** Whom the candidate answers: at most what it is warm for. */
  share: at({ weight: z.int().min(0).max(BUCKETS), tenants: z.array(z.string()), plans: z.array(z.string()) }),
  /** Buckets that the candidate answers too, for comparison. */
  shadow: z.int().min(0).max(BUCKETS),
  /** Share of all traffic, in buckets, that the candidate's warm workers can take, as last reported. */
  warm: z.int().min(0).max(BUCKETS),
  looks,
  segments: z.array(segmentMark),
  verdict: verdictSchema.optional(),
  /** Ids of the last verbs that were applied: a verb that comes again changes nothing. */
  verbs: z.array(z.string()),
});

export type Release = z.infer<typeof releaseSchema>;
export type ReleaseState = Release['state'];
export type ResumableState = z.infer<typeof resumable>;
export type SegmentMark = z.infer<typeof segmentMark>;

/** Nobody knows beforehand how much named tenants send: capacity for a tenth of all comes first. */
const NAMED_CAPACITY = 10 * BUCKETS_PER_PERCENT;

/** True while the candidate may get traffic, or stable is kept warm for it: there is at most one such release of a model. */
export function isActive({ state }: Release): boolean {
  return state.kind !== 'promoted' && state.kind !== 'rolled-back';
}

/** What draws the lot of an attempt, and names its telemetry. */
export function lotOf({ id, attempt }: Pick<Release, 'id' | 'attempt'>): string {
  return `${id}.${attempt}`;
}

/** Who answers whom, as gateways and workers need it. */
export type ReleaseRoute = {
  /** Answers whoever is not in `share`. */
  readonly serving: string;
  readonly candidate: string | undefined;
  readonly share: Share;
  readonly shadow: number;
  /** Jobs that were admitted for it run on `serving`, unless their callers named it. */
  readonly revoked: string | undefined;
};

export function routeOf(release: Release): ReleaseRoute {
  const { state, candidate, stable, share, shadow } = release;
  const off = { candidate: undefined, share: NOBODY, shadow: 0 };
  if (state.kind === 'promoted') return { serving: candidate, ...off, revoked: undefined };
  if (state.kind === 'rolled-back')
    return { serving: state.to, ...off, revoked: state.to === candidate ? undefined : candidate };
  if (state.kind === 'undoing')
    return { serving: state.serving, ...off, revoked: state.serving === candidate ? undefined : candidate };
  return { serving: stable, candidate, share, shadow, revoked: undefined };
}

/** What a driver brings about, as often as it looks: the same again does no harm. */
export type Desired = {
  /** The model's stable version in the registry. */
  readonly stable: string;
  /** Versions to keep warm, and for which share of all traffic, in buckets. Others of the release may go cold. */
  readonly warm: ReadonlyMap<string, number>;
  /** When the next tick is due at the latest; undefined once the release has ended. */
  readonly tickByMs: number | undefined;
};

/** No hold is trusted for longer without looking again. */
const LONGEST_SLEEP_MS = 60_000;

export function desiredOf(release: Release, nowMs: number): Desired {
  const { state, stable, candidate } = release;
  if (state.kind === 'promoted')
    return { stable: candidate, warm: new Map([[candidate, BUCKETS]]), tickByMs: undefined };
  if (state.kind === 'rolled-back')
    return { stable: state.to, warm: new Map([[state.to, BUCKETS]]), tickByMs: undefined };
  if (state.kind === 'undoing') {
    const warm = new Map([
      [state.serving, BUCKETS],
      [state.to, BUCKETS],
    ]);
    return { stable: state.serving, warm, tickByMs: Math.min(state.untilMs, nowMs + LONGEST_SLEEP_MS) };
  }
  const untilMs = 'untilMs' in state && state.untilMs > nowMs ? state.untilMs : nowMs + LONGEST_SLEEP_MS;
  return {
    stable,
    warm: new Map([
      [stable, BUCKETS],
      [candidate, capacityFor(release)],
    ]),
    tickByMs: Math.min(untilMs, nowMs + LONGEST_SLEEP_MS),
  };
}

/** The step that traffic is at or on its way to; the last one while watching. */
export function stepOf({ state, plan }: Pick<Release, 'state' | 'plan'>): number {
  if (state.kind === 'paused') return stepOfState(state.from, plan.steps.length);
  return state.kind === 'escalated' ? state.step : stepOfState(state, plan.steps.length);
}

/** Share of all traffic, in buckets, that the candidate must be warm for before a step's traffic flows. */
export function neededFor(step: Step): number {
  if (isGate(step)) return 0;
  if ('shadow' in step) return Math.round(step.shadow * BUCKETS_PER_PERCENT);
  return typeof step.setWeight === 'number' ? Math.round(step.setWeight * BUCKETS_PER_PERCENT) : NAMED_CAPACITY;
}

function capacityFor({ state, plan, share, shadow }: Release): number {
  const flowing = Math.max(share.weight, shadow, share.tenants.length + share.plans.length > 0 ? NAMED_CAPACITY : 0);
  const step = plan.steps[stepOf({ state, plan })];
  return step === undefined ? flowing : Math.max(flowing, neededFor(step));
}

function stepOfState(state: ReleaseState, steps: number): number {
  return 'step' in state ? state.step : steps - 1;
}
