import type { FailureCode } from '../failure.ts';
import type { Telemetry } from '../ports/telemetry.ts';
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
export type Answered = {
  readonly tenant: string;
  /** Admission to answer. */
  readonly latencyMs: number;
  readonly queueMs: number;
  readonly computeMs: number;
  readonly rows: number;
  readonly inputElements: number;
  /** Undefined: it was answered. */
  readonly error: FailureCode | undefined;
  readonly fellBack: boolean;
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
  const { error, label, confidence } = answered;
  telemetry.requests += 1;
  telemetry.rows += answered.rows;
  telemetry.computeMs += whole(answered.computeMs);
  if (answered.fellBack) telemetry.fallbacks += 1;
  if (error !== undefined) telemetry.errors.set(error, (telemetry.errors.get(error) ?? 0) + 1);
  telemetry.latencyMs.add(answered.latencyMs);
  telemetry.queueMs.add(answered.queueMs);
  telemetry.inputElements.add(answered.inputElements);
  telemetry.tenants.add(answered.tenant);
  if (label !== undefined) telemetry.labels.add(label);
  if (confidence !== undefined) telemetry.confidence.add(confidence);
  recordLot(telemetry, answered);
}

function recordLot({ release }: Telemetry, { lot, error, label, confidence, latencyMs, computeMs }: Answered): void {
  if (release === undefined || lot === undefined) return;
  const cohort = cohortIn(release, lot.cohort);
  cohort.requests += 1;
  cohort.computeMs += whole(computeMs);
  if (error !== undefined && blamesVersion(error)) {
    cohort.errors += 1;
    release.failingUnits.add(lot.unit);
  }
  if (error === undefined) cohort.latencyMs.add(latencyMs);
  if (label !== undefined) cohort.labels.add(label);
  if (confidence !== undefined) {
    cohort.confidence += whole(confidence);
    cohort.confidences += 1;
  }
}

/** Whole 1/1024, which add up the same in every order. */
function whole(value: number): number {
  return Math.round(value * 1024) / 1024;
}
