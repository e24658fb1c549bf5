import type { Cohort, ReleaseTelemetry, ShadowCounts, Telemetry } from '../ports/telemetry.ts';
import { Calibration } from './calibration.ts';
import { Confidence } from './confidence.ts';
import { Confusion } from './confusion.ts';
import { mergeProfiles } from './input-profile.ts';
import { LabelCounts } from './label-counts.ts';
import { Sketch } from './sketch.ts';
import { UnitSample } from './unit-sample.ts';

/** Labels of a cohort: 200 cohorts × 16 × about 12 bytes is what an item has room for. */
const COHORT_LABELS = 16;

/** Telemetry of nothing; `release` is the id of the active release, if there is one. */
export function emptyTelemetry(release?: string): Telemetry {
  return {
    requests: 0,
    errors: new Map(),
    latencyMs: new Sketch(),
    queueMs: new Sketch(),
    batchRows: new Sketch(),
    computeMs: 0,
    rows: 0,
    cacheHits: 0,
    fallbacks: 0,
    crashes: 0,
    labels: new LabelCounts(),
    confidence: new Confidence(),
    inputElements: new Sketch(),
    inputs: new Map(),
    shadow: emptyShadow(),
    feedback: 0,
    feedbackCorrect: 0,
    feedbackTenants: new LabelCounts(),
    feedbackCorrectTenants: new LabelCounts(),
    confusion: new Confusion(),
    calibration: new Calibration(),
    tenants: new LabelCounts(),
    release: release === undefined ? undefined : { release, cohorts: new Map(), failingUnits: new UnitSample() },
  };
}

/**
 * The telemetry of all together, the same in whatever order; what is merged stays as it is. Of their releases only the one named is in it.
 * Compute milliseconds are summed as they are: writers round them to whole 1/1024 ms, so that every order gives the same sum.
 */
export function mergeTelemetry(parts: Iterable<Telemetry>, release?: string): Telemetry {
  const merged = emptyTelemetry(release);
  for (const part of parts) addTelemetry(merged, part);
  return merged;
}

/** The cohort of a release's telemetry, added if it has seen nothing yet. */
export function cohortIn(telemetry: ReleaseTelemetry, cohort: number): Cohort {
  const found = telemetry.cohorts.get(cohort);
  if (found !== undefined) return found;
  const added: Cohort = {
    requests: 0,
    errors: 0,
    computeMs: 0,
    latencyMs: new Sketch('coarse'),
    labels: new LabelCounts(COHORT_LABELS),
    confidence: 0,
    confidences: 0,
    feedback: 0,
    feedbackCorrect: 0,
    shadow: emptyShadow(),
  };
  telemetry.cohorts.set(cohort, added);
  return added;
}

/** All requests that ended in an error. */
export function errorsOf({ errors }: Telemetry): number {
  let sum = 0;
  for (const count of errors.values()) sum += count;
  return sum;
}

function emptyShadow(): ShadowCounts {
  return { compared: 0, agreed: 0, candidateFailed: 0 };
}

const COUNTS = [
  'requests',
  'computeMs',
  'rows',
  'cacheHits',
  'fallbacks',
  'crashes',
  'feedback',
  'feedbackCorrect',
] as const;
/** Counts of a cohort that add up. Their order is that of the encoding. */
export const COHORT_COUNTS = [
  'requests',
  'errors',
  'computeMs',
  'confidence',
  'confidences',
  'feedback',
  'feedbackCorrect',
] as const;

export const SHADOW_COUNTS = ['compared', 'agreed', 'candidateFailed'] as const;

/** Adds to telemetry what another one says, which stays as it is; of releases what it says of the same one. */
export function addTelemetry(merged: Telemetry, part: Telemetry): void {
  for (const count of COUNTS) merged[count] += part[count];
  for (const [code, count] of part.errors) merged.errors.set(code, (merged.errors.get(code) ?? 0) + count);
  merged.latencyMs.merge(part.latencyMs);
  merged.queueMs.merge(part.queueMs);
  merged.batchRows.merge(part.batchRows);
  merged.inputElements.merge(part.inputElements);
  merged.labels.merge(part.labels);
  merged.tenants.merge(part.tenants);
  merged.confidence.merge(part.confidence);
  mergeProfiles(merged.inputs, part.inputs);
  merged.feedbackTenants.merge(part.feedbackTenants);
  merged.feedbackCorrectTenants.merge(part.feedbackCorrectTenants);
  merged.confusion.merge(part.confusion);
  merged.calibration.merge(part.calibration);
  mergeShadow(merged.shadow, part.shadow);
  if (merged.release === undefined || part.release?.release !== merged.release.release) return;
  merged.release.failingUnits.merge(part.release.failingUnits);
  for (const [number, cohort] of part.release.cohorts) mergeCohort(cohortIn(merged.release, number), cohort);
}

function mergeCohort(merged: Cohort, part: Cohort): void {
  for (const count of COHORT_COUNTS) merged[count] += part[count];
  merged.latencyMs.merge(part.latencyMs);
  merged.labels.merge(part.labels);
  mergeShadow(merged.shadow, part.shadow);
}

function mergeShadow(merged: ShadowCounts, part: ShadowCounts): void {
  for (const count of SHADOW_COUNTS) merged[count] += part[count];
}
