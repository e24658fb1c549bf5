import { z } from 'zod';
import { releasePlanSchema } from '../release/plan.ts';
import { VERBS } from '../release/release-options.ts';
import { CHECKS } from '../release/verdict.ts';
import { PARAMS } from './params.ts';
import { replayJson } from './replay-json.ts';
import { pageOf, pageQuery } from './schemas.ts';

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
    /** All errors, refusals and callers' mistakes too; `errors` are those that say something of the version. */
    errors_by_code: z.record(z.string(), count),
    /** Compute of one prediction. */
    compute_ms: figure,
    /** Compute of a thousand predictions at the region's price, in US dollars. */
    usd_per_thousand: figure,
    /** Runners that it ended. */
    crashes: count,
    cache_hits: count,
    fallbacks: count,
    /** Share of its answers that were right, by as much feedback as has come. */
    accuracy: figure,
    feedback: count,
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
    shadow: z.strictObject({ compared: count, agreed: count, candidate_failed: count }),
    /** Requests by latency, both versions in the same bins; empty without requests. */
    latency: z.array(z.strictObject({ from_ms: count, until_ms: count, stable: count, candidate: count })),
    /** Shares of labels, the most frequent first; null is all others together. */
    labels: z.array(z.strictObject({ label: z.string().nullable(), stable: figure, candidate: figure })),
    /** Answers by confidence, both versions in the same bins; empty without confidence. */
    confidence: z.array(z.strictObject({ from: count, until: count, stable: count, candidate: count })),
  })
  .meta({ id: 'ReleaseNumbers' });

/** A time in which the share stayed as it was; `until_ms` is null of the present one. Of one attempt, the last 50. */
const segmentJson = z
  .strictObject({
    /** From 1; null of releases that were made before steps were noted. */
    step: z.int().min(1).nullable(),
    weight_percent: percent,
    shadow_percent: percent,
    from_ms: epochMs,
    until_ms: epochMs.nullable(),
  })
  .meta({ id: 'ReleaseSegment' });

/** A verb, and what it would do if the caller gave it now. */
const optionJson = z
  .strictObject({
    verb: z.enum(VERBS),
    /** Why it would change nothing; null where it would. */
    refused: z.string().nullable(),
    /** What would be right after it; null where it is refused. */
    after: z
      .strictObject({
        state: releaseFields.state,
        step: releaseFields.step,
        serving: releaseFields.serving,
        weight_percent: percent,
        shadow_percent: percent,
        tenants: releaseFields.tenants,
        plans: releaseFields.plans,
      })
      .nullable(),
  })
  .meta({ id: 'ReleaseOption' });

export const releaseDetailJson = z
  .strictObject({
    ...releaseFields,
    numbers: numbersJson.nullable(),
    segments: z.array(segmentJson),
    /** Of every verb, whether the caller may give it now, and to what end. */
    options: z.array(optionJson),
  })
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

export const releaseListQuery = pageQuery.extend({
  /** `active`: only those that have not ended. */
  state: z.enum(['active', 'all']).default('all'),
});
