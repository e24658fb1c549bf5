import type { z } from 'zod';
import type { ReleaseAudit } from '../ports/releases.ts';
import { BUCKETS_PER_PERCENT } from '../release/assign.ts';
import type { BegunRelease } from '../release/begin-release.ts';
import type { Given } from '../release/manage-releases.ts';
import { isGate } from '../release/plan.ts';
import type { ReleaseNumbers, VersionNumbers } from '../release/read-numbers.ts';
import { isActive, type Release, routeOf, type SegmentMark, stepOf } from '../release/release.ts';
import { optionsOf, type ReleaseOption } from '../release/release-options.ts';
import { HOUR_MS } from '../units.ts';
import type {
  releaseAuditPage,
  releaseDetailJson,
  releaseJson,
  releaseStartedJson,
  releaseVerbJson,
} from './release-schemas.ts';
import { replayToJson } from './replay-json.ts';

export type ReleaseJson = z.infer<typeof releaseJson>;
export type ReleaseDetailJson = z.infer<typeof releaseDetailJson>;
export type ReleaseStartedJson = z.infer<typeof releaseStartedJson>;
export type ReleaseVerbJson = z.infer<typeof releaseVerbJson>;
export type ReleaseAuditJson = z.infer<typeof releaseAuditPage>['items'][number];

/** Where a release is read. */
export function releasePath({ id }: Pick<Release, 'id'>): string {
  return `/control/v1/releases/${id}`;
}

export function releaseToJson(release: Release, nowMs: number): ReleaseJson {
  const { id, model, stable, candidate, plan, share, shadow, warm, attempt, epoch } = release;
  return {
    id,
    model,
    stable,
    candidate,
    started_by: release.startedBy,
    started_at_ms: release.startedAtMs,
    ...stateToJson(release, nowMs),
    serving: routeOf(release).serving,
    weight_percent: share.weight / BUCKETS_PER_PERCENT,
    tenants: [...share.tenants],
    plans: [...share.plans],
    shadow_percent: shadow / BUCKETS_PER_PERCENT,
    warm_percent: warm / BUCKETS_PER_PERCENT,
    verdict: verdictToJson(release),
    plan,
    attempt,
    epoch,
  };
}

/** What a release's page is shown to whom, when and at which price. */
type Shown = { readonly by: string; readonly nowMs: number; readonly usdPerComputeHour: number };

export function releaseDetailToJson(
  release: Release,
  numbers: ReleaseNumbers | undefined,
  { by, nowMs, usdPerComputeHour }: Shown,
): ReleaseDetailJson {
  return {
    ...releaseToJson(release, nowMs),
    numbers: numbers === undefined ? null : numbersToJson(numbers, usdPerComputeHour),
    segments: release.segments.map(segmentToJson),
    options: optionsOf(release, by, nowMs).map((option) => optionToJson(option, nowMs)),
  };
}

export function releaseStartedToJson({ release, golden }: BegunRelease, nowMs: number): ReleaseStartedJson {
  const report = golden.report === undefined ? null : replayToJson(golden.report);
  return { ...releaseToJson(release, nowMs), golden: golden.sentence, golden_report: report };
}

export function releaseVerbToJson({ release, applied }: Given, nowMs: number): ReleaseVerbJson {
  return { ...releaseToJson(release, nowMs), applied };
}

export function releaseAuditToJson({ atMs, by, what, why, epoch }: ReleaseAudit): ReleaseAuditJson {
  return { at_ms: atMs, by, what, why, epoch };
}

type StateJson = Pick<
  ReleaseJson,
  | 'state'
  | 'step'
  | 'steps'
  | 'until_ms'
  | 'time_left_ms'
  | 'paused_since_ms'
  | 'paused_from'
  | 'approvals'
  | 'approvals_needed'
  | 'why'
  | 'ended_at_ms'
>;

function stateToJson(release: Release, nowMs: number): StateJson {
  const { state, plan } = release;
  const untilMs = 'untilMs' in state ? state.untilMs : undefined;
  const at = isActive(release) && state.kind !== 'undoing' ? stepOf(release) : undefined;
  const inner = state.kind === 'paused' ? state.from : state;
  const gate = inner.kind === 'gated' ? plan.steps[inner.step] : undefined;
  // What was left when it was paused is left still.
  const leftMs =
    state.kind === 'paused' ? state.from.untilMs - state.sinceMs : untilMs === undefined ? undefined : untilMs - nowMs;
  return {
    state: state.kind,
    step: at === undefined ? null : at + 1,
    steps: plan.steps.length,
    until_ms: untilMs ?? null,
    time_left_ms: leftMs === undefined ? null : Math.max(0, leftMs),
    paused_since_ms: state.kind === 'paused' ? state.sinceMs : null,
    paused_from: state.kind === 'paused' ? state.from.kind : null,
    approvals: inner.kind === 'gated' ? [...inner.approvals] : [],
    approvals_needed: gate !== undefined && isGate(gate) ? gate.gate.people : null,
    why: 'why' in state ? state.why : null,
    ended_at_ms: 'atMs' in state ? state.atMs : null,
  };
}

function verdictToJson({ verdict }: Release): ReleaseJson['verdict'] {
  if (verdict === undefined) return null;
  const { outcome, sentence, requests, checks } = verdict;
  return {
    outcome,
    sentence,
    requests,
    checks: checks.map((check) => ({
      ...check,
      stable: check.stable ?? null,
      candidate: check.candidate ?? null,
    })),
  };
}

function segmentToJson({ step, weight, shadow, fromMs, untilMs }: SegmentMark): ReleaseDetailJson['segments'][number] {
  return {
    step: step === undefined ? null : step + 1,
    weight_percent: shadow ? 0 : weight / BUCKETS_PER_PERCENT,
    shadow_percent: shadow ? weight / BUCKETS_PER_PERCENT : 0,
    from_ms: fromMs,
    until_ms: untilMs ?? null,
  };
}

function optionToJson(option: ReleaseOption, nowMs: number): ReleaseDetailJson['options'][number] {
  const { verb } = option;
  if (option.kind === 'refused') return { verb, refused: option.why, after: null };
  const after = releaseToJson(option.after, nowMs);
  const { state, step, serving, weight_percent, shadow_percent, tenants, plans } = after;
  return { verb, refused: null, after: { state, step, serving, weight_percent, shadow_percent, tenants, plans } };
}

type NumbersJson = NonNullable<ReleaseDetailJson['numbers']>;

function numbersToJson(numbers: ReleaseNumbers, usdPerComputeHour: number): NumbersJson {
  const { fromMs, untilMs, stable, candidate, agreement, shadow, latency, labels, confidence } = numbers;
  return {
    from_ms: fromMs,
    until_ms: untilMs,
    stable: versionToJson(stable, usdPerComputeHour),
    candidate: versionToJson(candidate, usdPerComputeHour),
    agreement: agreement ?? null,
    shadow: { compared: shadow.compared, agreed: shadow.agreed, candidate_failed: shadow.candidateFailed },
    latency: latency.map(({ from, until, ...counts }) => ({ from_ms: from, until_ms: until, ...counts })),
    labels: labels.map((label) => ({
      label: label.label ?? null,
      stable: label.stable ?? null,
      candidate: label.candidate ?? null,
    })),
    confidence: [...confidence],
  };
}

function versionToJson(numbers: VersionNumbers, usdPerComputeHour: number): NumbersJson['stable'] {
  const { requests, errors, errorRate, p50Ms, p95Ms, p99Ms, computeMs, crashes } = numbers;
  const { errorsByCode, cacheHits, fallbacks, accuracy, feedback } = numbers;
  return {
    requests,
    errors,
    errors_by_code: Object.fromEntries(errorsByCode),
    error_rate: errorRate ?? null,
    p50_ms: p50Ms ?? null,
    p95_ms: p95Ms ?? null,
    p99_ms: p99Ms ?? null,
    compute_ms: computeMs ?? null,
    usd_per_thousand: computeMs === undefined ? null : ((1000 * computeMs) / HOUR_MS) * usdPerComputeHour,
    crashes,
    cache_hits: cacheHits,
    fallbacks,
    accuracy: accuracy ?? null,
    feedback,
  };
}
