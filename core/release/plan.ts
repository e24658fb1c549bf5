import { z } from 'zod';
import { describeIssues } from '../describe-issues.ts';
import { SECOND_MS } from '../units.ts';
import { ASSIGN_BY } from './assign.ts';

const seconds = z
  .number()
  .min(0.1)
  .max(30 * 86_400);
const percent = z.number().min(0.01).max(100).multipleOf(0.01, 'steps of 0.01');
const names = z.array(z.string().min(1).max(63)).min(1).max(100);

/** How long a step holds, and what it must have seen before it can pass. */
const hold = z.strictObject({
  /** Least time. Default 600. */
  seconds: seconds.default(600),
  /** Least requests that the candidate has answered in this step. Default 500. */
  minRequests: z.int().min(0).max(1_000_000_000).default(500),
  /** A verdict that is still inconclusive this long after the least time is left to a person. Default 3,600. */
  escalateAfterS: seconds.default(3600),
});

const shadowStep = z.strictObject({
  /** Percent of requests that the candidate answers too, for comparison only. */
  shadow: percent,
  hold: hold.prefault({}),
  /** False: only the hard limits are looked at. Default true. */
  analysis: z.boolean().default(true),
});

const weightStep = z.strictObject({
  /** Percent of units drawn by lot, or every request of these tenants, or of tenants of these plans. */
  setWeight: z.union([percent, z.strictObject({ tenants: names }), z.strictObject({ plans: names })]),
  hold: hold.prefault({}),
  analysis: z.boolean().default(true),
});

const gateStep = z.strictObject({
  gate: z.strictObject({
    /** How many different people must approve. Default 1. */
    people: z.union([z.literal(1), z.literal(2)]).default(1),
    /** Without their approval in this time the release is rolled back. Default 7 days. */
    timeoutS: seconds.default(7 * 86_400),
  }),
});

const stepSchema = z.union([shadowStep, weightStep, gateStep]);

/** From when on a difference counts. A verdict also needs it to be beyond chance: docs/releases.md says how sure it is. */
const analysisSchema = z.strictObject({
  /** Least ratio of error rates. Default 1.5. */
  errorRatio: z.number().min(1).max(100).default(1.5),
  /** Least growth of p50, p95 or p99 latency, as a share. Default 0.25. */
  latencyGrowth: z.number().min(0).max(100).default(0.25),
  /** Least growth of compute a prediction, as a share. Default 0.5: little traffic makes small batches, which cost more a row. */
  computeGrowth: z.number().min(0).max(100).default(0.5),
  /** Least Jensen-Shannon divergence (base 2, 0 to 1) of labels or confidence. Default 0.1. */
  divergence: z.number().min(0).max(1).default(0.1),
  /** Least share of shadow answers that agree with the stable answer. Default 0.9. */
  agreement: z.number().min(0).max(1).default(0.9),
  /** Least loss of accuracy by feedback, in points of a share. Default 0.05. */
  accuracyLoss: z.number().min(0).max(1).default(0.05),
});

/** What ends a release at once, whatever else is known. */
const limitsSchema = z.strictObject({
  /** Runners that the candidate kills. Default 3: one or two may have been killed from outside. */
  crashes: z.int().min(1).max(1000).default(3),
  /** Share of the candidate's requests that end in an error. Default 0.2. */
  errorRate: z.number().min(0.001).max(1).default(0.2),
  /** … of at least so many requests. Default 50. */
  minRequests: z.int().min(10).max(100_000).default(50),
});

/** The steps of a release that names none: shadow 10 %, then 5, 25, 50 and 100 %. */
const DEFAULT_STEPS: readonly z.input<typeof stepSchema>[] = [
  { shadow: 10 },
  { setWeight: 5 },
  { setWeight: 25 },
  { setWeight: 50 },
  { setWeight: 100 },
];

/** `release` of a manifest, or given when a release is started. Unknown keys are refused. */
export const releasePlanSchema = z
  .strictObject({
    assignBy: z.enum(ASSIGN_BY).default('user'),
    steps: z
      .array(stepSchema)
      .min(1)
      .max(20)
      .prefault(() => [...DEFAULT_STEPS]),
    analysis: analysisSchema.prefault({}),
    limits: limitsSchema.prefault({}),
    /** How long stable stays warm, and the hard limits hold, after everybody is on the candidate. Default 3,600. */
    watch: z.strictObject({ seconds: seconds.default(3600) }).prefault({}),
    /** A candidate that is not warm after this time, before the first step, is rolled back. Default 900. */
    warmWithinS: seconds.default(900),
  })
  .superRefine(({ steps }, context) => {
    for (const { at, message } of orderProblems(steps))
      context.addIssue({ code: 'custom', path: ['steps', at], message });
  });

export type ReleasePlan = z.infer<typeof releasePlanSchema>;
export type Step = z.infer<typeof stepSchema>;
/** A step that traffic goes through. */
export type TrafficStep = Exclude<Step, { gate: unknown }>;
export type GateStep = Extract<Step, { gate: unknown }>;
export type AnalysisRules = ReleasePlan['analysis'];
export type HardLimits = ReleasePlan['limits'];

/** The plan with its defaults, or everything that is wrong with it: `<place>: <what>`. */
export function readReleasePlan(plan: unknown): ReleasePlan | readonly string[] {
  const parsed = releasePlanSchema.safeParse(plan);
  return parsed.success ? parsed.data : describeIssues(parsed.error, 'release');
}

export function isGate(step: Step): step is GateStep {
  return 'gate' in step;
}

/** Steps are at most 30 days. */
export function holdMs({ hold: { seconds: s } }: TrafficStep): number {
  return s * SECOND_MS;
}

export function escalateMs({ hold: { escalateAfterS } }: TrafficStep): number {
  return escalateAfterS * SECOND_MS;
}

type OrderProblem = { readonly at: number; readonly message: string };

function orderProblems(steps: readonly Step[]): OrderProblem[] {
  const problems: OrderProblem[] = [];
  let weight = 0;
  let anyWeight = false;
  for (const [at, step] of steps.entries()) {
    if ('shadow' in step && anyWeight) problems.push({ at, message: 'shadow comes before the first setWeight' });
    if (!('setWeight' in step)) continue;
    anyWeight = true;
    if (typeof step.setWeight !== 'number') {
      if (weight > 0) problems.push({ at, message: 'named tenants and plans come before the first percent' });
      continue;
    }
    if (step.setWeight <= weight)
      problems.push({ at, message: `setWeight grows: ${step.setWeight} is not above ${weight}` });
    weight = Math.max(weight, step.setWeight);
  }
  const last = steps.at(-1);
  if (last === undefined || !('setWeight' in last) || last.setWeight !== 100)
    problems.push({ at: steps.length - 1, message: 'the last step is setWeight: 100' });
  return problems;
}
