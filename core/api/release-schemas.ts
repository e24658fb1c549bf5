import { z } from 'zod';
import { releasePlanSchema } from '../release/plan.ts';
import { CHECKS } from '../release/verdict.ts';
import { PARAMS } from './params.ts';
import { replayJson } from './replay-json.ts';
import { pageOf } from './schemas.ts';

/** Bodies of the release routes. Plans are as in the manifest (camelCase); steps are numbered from 1; times are Unix milliseconds. */
const epochMs = z.number().min(0);
const count = z.number().min(0);
const figure = z.number().nullable();
const percent = z.number().min(0).max(100);
const why = z.string().trim().min(1).max(500);

export const releaseStartBody = z
  .strictObject({
    /** The candidate. */
    version: PARAMS.version.schema,
    /** Default: `release` of its manifest, or the plan of docs/releases.md. Its own mistakes are `release-plan-invalid`. */
    plan: z.record(z.string(), z.unknown()).optional(),
    reason: why,
  })
  .meta({ id: 'ReleaseStart' });

const VERBS = ['promote', 'promote-full', 'pause', 'resume', 'abort', 'retry', 'undo', 'approve'] as const;

export const releaseVerbBody = z
  .strictObject({
    verb: z.enum(VERBS),
    reason: why,
    /** Names the request: sent again it is done once. `Idempotency-Key` does the same. */
    id: z.string().min(1).max(255).optional(),
    /** Of `undo`: the version to go to. Default: what was stable before. */
    version: PARAMS.version.schema.optional(),
    /** Of `retry`: the attempt that was rolled back. Default: the last one. */
    attempt: z.int().min(1).optional(),
  })
  .superRefine(({ verb, version, attempt }, context) => {
    const add = (path: string, only: string) =>
      context.addIssue({ code: 'custom', path: [path], message: `only with the verb ${only}` });
    if (version !== undefined && verb !== 'undo') add('version', 'undo');
    if (attempt !== undefined && verb !== 'retry') add('attempt', 'retry');
  })
  .meta({ id: 'ReleaseVerb' });

const checkJson = z
  .strictObject({
    name: z.enum(CHECKS),
    outcome: z.enum(['pass', 'fail', 'inconclusive', 'absent']),
    /** The two figures that are compared. */
    stable: figure,
    candidate: figure,
    sentence: z.string(),
  })
  .meta({ id: 'ReleaseCheck' });

const verdictJson = z
  .strictObject({
    outcome: z.enum(['pass', 'fail', 'inconclusive']),
    /** What decided it, for a person. */
    sentence: z.string(),
    /** Of the candidate in its step. */
    requests: count,
    checks: z.array(checkJson),
  })
  .meta({ id: 'ReleaseVerdict' });

const releaseFields = {
  id: PARAMS.release.schema,
  model: PARAMS.model.schema,
  stable: PARAMS.version.schema,
  candidate: PARAMS.version.schema,
  started_by: z.string(),
  started_at_ms: epochMs,
  state: z.enum([
    'scaling',
    'stepping',
    'gated',
    'watching',
    'paused',
    'escalated',
    'undoing',
    'promoted',
    'rolled-back',
  ]),
  /** The step that traffic is at, or waits for; null once it has ended. */
  step: z.int().min(1).nullable(),
  steps: z.int().min(1),
  /** What goes on if nothing happens: the end of a hold, a wait for capacity, a gate or a watch. */
  until_ms: epochMs.nullable(),
  time_left_ms: z.number().min(0).nullable(),
  /** Of what is paused: since when, and what it was doing. */
  paused_since_ms: epochMs.nullable(),
  paused_from: z.string().nullable(),
  /** Of a gate: who has approved, and how many must. */
  approvals: z.array(z.string()),
  approvals_needed: z.int().nullable(),
  /** Why it is escalated, undone or rolled back. */
  why: z.string().nullable(),
  ended_at_ms: epochMs.nullable(),
  /** Answers whoever is not on the candidate. */
  serving: PARAMS.version.schema,
  /** Units drawn by lot that the candidate answers, and tenants and plans that it answers by name. */
  weight_percent: percent,
  tenants: z.array(z.string()),
  plans: z.array(z.string()),
  /** Requests that the candidate answers too, for comparison. */
  shadow_percent: percent,
  /** Share of all traffic that its warm workers can take. */
  warm_percent: percent,
  verdict: verdictJson.nullable(),
  plan: releasePlanSchema,
  /** 1, and one more with every retry. */
  attempt: z.int().min(1),
  epoch: z.int().min(1),
};

export const releaseJson = z.strictObject(releaseFields).meta({ id: 'Release' });

const versionNumbersJson = z
  .strictObject({
    requests: count,
    errors: count,
    error_rate: figure,
    p50_ms: figure,
    p95_ms: figure,
    p99_ms: figure,
    /** Compute of one prediction. */
    compute_ms: figure,
    /** Runners that it ended. */
    crashes: count,
  })
  .meta({ id: 'VersionNumbers' });

/** Both versions since the share of the candidate last changed, ten minutes at the most; what the last seconds brought may be missing. */
const numbersJson = z
  .strictObject({
    from_ms: epochMs,
    until_ms: epochMs,
    stable: versionNumbersJson,
    candidate: versionNumbersJson,
    /** Share of shadow answers that agree with the stable ones. */
    agreement: figure,
  })
  .meta({ id: 'ReleaseNumbers' });

export const releaseDetailJson = z
  .strictObject({ ...releaseFields, numbers: numbersJson.nullable() })
  .meta({ id: 'ReleaseDetail' });

export const releaseStartedJson = z
  .strictObject({
    ...releaseFields,
    /** What both versions make of the stable version's golden pairs, in a sentence, and all of it where it was compared now. */
    golden: z.string(),
    golden_report: replayJson.nullable(),
  })
  .meta({ id: 'ReleaseStarted' });

export const releaseVerbJson = z
  .strictObject({
    ...releaseFields,
    /** False where it was so already, or was asked for before. */
    applied: z.boolean(),
  })
  .meta({ id: 'ReleaseVerbAnswer' });

const auditJson = z
  .strictObject({
    at_ms: epochMs,
    /** Principal id, or `sluice` of what it did by itself. */
    by: z.string(),
    what: z.string(),
    why: z.string(),
    epoch: z.int().min(1),
  })
  .meta({ id: 'ReleaseAudit' });
export const releaseAuditPage = pageOf(auditJson);
