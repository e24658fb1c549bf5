import type { FailureCode } from '../failure.ts';
import type { Cohort, Telemetry } from '../ports/telemetry.ts';
import { cohortIn } from './telemetry.ts';

/** Errors that say something of a version: the others are refusals, mistakes of the caller, or of the platform around every version. */
const VERSION_ERRORS: ReadonlySet<FailureCode> = new Set([
  'prediction-failed',
  'prediction-timeout',
  'prediction-expired',
  'runner-crashed',
  'model-load-failed',
  'version-unavailable',
  'internal',
]);

/** How one request ended on the version that was assigned to it. */
export type Answered = Computed & {
  readonly tenant: string;
  /** Admission to answer. */
  readonly latencyMs: number;
  readonly queueMs: number;
  readonly fellBack: boolean;
};

/** What a version was seen to make of a request, or of a copy of one. */
type Computed = {
  readonly computeMs: number;
  readonly rows: number;
  readonly inputElements: number;
  /** Undefined: it was answered. */
  readonly error: FailureCode | undefined;
  /** The most probable label and its probability, of models that classify. */
  readonly label: string | undefined;
  readonly confidence: number | undefined;
  /** Of a request that the active release assigned by lot: its cohort, and the hash of its unit. */
  readonly lot: { readonly cohort: number; readonly unit: number } | undefined;
};

/** True if an error counts against the version that gave it. */
export function blamesVersion(code: FailureCode): boolean {
  return VERSION_ERRORS.has(code);
}

/** Counts one request. The telemetry is the writer's own until it is appended. */
export function recordAnswer(telemetry: Telemetry, answered: Answered): void {
  recordComputed(telemetry, answered);
  if (answered.fellBack) telemetry.fallbacks += 1;
  telemetry.latencyMs.add(answered.latencyMs);
  telemetry.queueMs.add(answered.queueMs);
  telemetry.tenants.add(answered.tenant);
  const { lot, error } = answered;
  if (lot !== undefined && error === undefined) cohortOf(telemetry, lot)?.latencyMs.add(answered.latencyMs);
}

/** A shadow copy and what it came to; `agreed` undefined: the candidate failed. */
type Shadowed = Computed & { readonly agreed: boolean | undefined };

/**
 * Counts a shadow copy for the candidate: as one of its requests, without latency, as nobody waited for it, and without its tenant, who sent but
 * one request.
 */
export function recordShadow(telemetry: Telemetry, shadowed: Shadowed): void {
  recordComputed(telemetry, shadowed);
  const { agreed, lot } = shadowed;
  for (const { shadow } of [telemetry, lot === undefined ? undefined : cohortOf(telemetry, lot)].filter(isThere)) {
    if (agreed === undefined) shadow.candidateFailed += 1;
    else {
      shadow.compared += 1;
      if (agreed) shadow.agreed += 1;
    }
  }
}

function recordComputed(telemetry: Telemetry, { error, label, confidence, ...computed }: Computed): void {
  const computeMs = whole(computed.computeMs);
  telemetry.requests += 1;
  telemetry.rows += computed.rows;
  telemetry.computeMs += computeMs;
  if (error !== undefined) telemetry.errors.set(error, (telemetry.errors.get(error) ?? 0) + 1);
  telemetry.inputElements.add(computed.inputElements);
  if (label !== undefined) telemetry.labels.add(label);
  if (confidence !== undefined) telemetry.confidence.add(confidence);
  const { lot } = computed;
  const cohort = lot === undefined ? undefined : cohortOf(telemetry, lot);
  if (cohort === undefined) return;
  cohort.requests += 1;
  cohort.computeMs += computeMs;
  if (error !== undefined && blamesVersion(error)) {
    cohort.errors += 1;
    telemetry.release!.failingUnits.add(lot!.unit);
  }
  if (label !== undefined) cohort.labels.add(label);
  if (confidence !== undefined) {
    cohort.confidence += whole(confidence);
    cohort.confidences += 1;
  }
}

function cohortOf({ release }: Telemetry, { cohort }: { readonly cohort: number }): Cohort | undefined {
  return release === undefined ? undefined : cohortIn(release, cohort);
}

function isThere<T>(value: T | undefined): value is T {
  return value !== undefined;
}

/** Whole 1/1024, which add up the same in every order. */
function whole(value: number): number {
  return Math.round(value * 1024) / 1024;
}
