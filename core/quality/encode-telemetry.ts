import { z } from 'zod';
import { FAILURES, type FailureCode } from '../failure.ts';
import type { Cohort, ReleaseTelemetry, Telemetry } from '../ports/telemetry.ts';
import { CONFIDENCE_BINS, Confidence } from './confidence.ts';
import {
  decodeCalibration,
  decodeConfusion,
  decodeProfiles,
  encodeCalibration,
  encodeConfusion,
  encodedCalibration,
  encodedConfusion,
  encodedLabels,
  encodedProfiles,
  encodeProfiles,
} from './encode-quality.ts';
import { LabelCounts } from './label-counts.ts';
import { Sketch } from './sketch.ts';
import { COHORT_COUNTS, cohortIn, emptyTelemetry, SHADOW_COUNTS } from './telemetry.ts';
import { UnitSample } from './unit-sample.ts';

const count = z.number().min(0);
const sketch = z.base64();
const labels = encodedLabels;
const shadow = z.strictObject({ compared: count, agreed: count, candidateFailed: count });
/** By place, as there are up to a thousand: number, latency, labels, other labels, then the counts of COHORT_COUNTS and SHADOW_COUNTS. */
const cohort = z.tuple([z.int().min(0), sketch, labels.shape.counts, count], count);
const encoded = z.strictObject({
  format: z.literal(1),
  requests: count,
  errors: z.array(z.tuple([z.string(), count])),
  latencyMs: sketch,
  queueMs: sketch,
  batchRows: sketch,
  computeMs: count,
  rows: count,
  cacheHits: count,
  fallbacks: count,
  crashes: count,
  labels,
  confidence: z.array(count).length(CONFIDENCE_BINS),
  inputElements: sketch,
  inputs: encodedProfiles.optional(),
  shadow,
  feedback: count,
  feedbackCorrect: count,
  feedbackTenants: labels.optional(),
  feedbackCorrectTenants: labels.optional(),
  confusion: encodedConfusion.optional(),
  calibration: encodedCalibration.optional(),
  tenants: labels,
  release: z
    .strictObject({
      release: z.string(),
      cohorts: z.array(cohort),
      failingUnits: z.array(z.int().min(0)),
    })
    .optional(),
});

type Encoded = z.infer<typeof encoded>;
type EncodedCohort = z.infer<typeof cohort>;

/** Telemetry as a text that a store keeps: JSON, its sketches in base64. */
export function encodeTelemetry(telemetry: Telemetry): string {
  const { release } = telemetry;
  const written: Encoded = {
    ...telemetry,
    format: 1,
    errors: [...telemetry.errors],
    latencyMs: encodeSketch(telemetry.latencyMs),
    queueMs: encodeSketch(telemetry.queueMs),
    batchRows: encodeSketch(telemetry.batchRows),
    labels: telemetry.labels.contents(),
    confidence: telemetry.confidence.bins,
    inputElements: encodeSketch(telemetry.inputElements),
    inputs: encodeProfiles(telemetry.inputs),
    feedbackTenants: encodeLabels(telemetry.feedbackTenants),
    feedbackCorrectTenants: encodeLabels(telemetry.feedbackCorrectTenants),
    confusion: encodeConfusion(telemetry.confusion),
    calibration: encodeCalibration(telemetry.calibration),
    tenants: telemetry.tenants.contents(),
    release: release === undefined ? undefined : encodeRelease(release),
  };
  return JSON.stringify(written);
}

/** Throws on a text that `encodeTelemetry` did not make: the store's adapter leaves such an item out. */
export function decodeTelemetry(text: string): Telemetry {
  const { format: _, ...read } = encoded.parse(JSON.parse(text));
  const telemetry: Telemetry = {
    ...emptyTelemetry(read.release?.release),
    ...read,
    errors: new Map(read.errors.filter((error): error is [FailureCode, number] => Object.hasOwn(FAILURES, error[0]))),
    latencyMs: decodeSketch(read.latencyMs),
    queueMs: decodeSketch(read.queueMs),
    batchRows: decodeSketch(read.batchRows),
    labels: LabelCounts.of(read.labels),
    confidence: new Confidence(read.confidence),
    inputElements: decodeSketch(read.inputElements),
    inputs: decodeProfiles(read.inputs),
    feedbackTenants: decodeLabels(read.feedbackTenants),
    feedbackCorrectTenants: decodeLabels(read.feedbackCorrectTenants),
    confusion: decodeConfusion(read.confusion),
    calibration: decodeCalibration(read.calibration),
    tenants: LabelCounts.of(read.tenants),
    release: read.release === undefined ? undefined : decodeRelease(read.release),
  };
  return telemetry;
}

function encodeRelease({ release, cohorts, failingUnits }: ReleaseTelemetry): NonNullable<Encoded['release']> {
  const encodeCohort = ([number, seen]: [number, Cohort]): EncodedCohort => {
    const { counts, other } = seen.labels.contents();
    const figures = [...COHORT_COUNTS.map((name) => seen[name]), ...SHADOW_COUNTS.map((name) => seen.shadow[name])];
    return [number, encodeSketch(seen.latencyMs), counts, other, ...figures];
  };
  return { release, cohorts: [...cohorts].map(encodeCohort), failingUnits: [...failingUnits.hashes()] };
}

function decodeRelease({ release, cohorts, failingUnits }: NonNullable<Encoded['release']>): ReleaseTelemetry {
  const decoded: ReleaseTelemetry = { release, cohorts: new Map(), failingUnits: new UnitSample(failingUnits) };
  for (const [number, latencyMs, counts, other, ...figures] of cohorts) {
    if (figures.length !== COHORT_COUNTS.length + SHADOW_COUNTS.length)
      throw new RangeError('a cohort of another length');
    const seen = cohortIn(decoded, number);
    for (const [at, name] of COHORT_COUNTS.entries()) seen[name] = figures[at]!;
    for (const [at, name] of SHADOW_COUNTS.entries()) seen.shadow[name] = figures[COHORT_COUNTS.length + at]!;
    seen.latencyMs.merge(decodeSketch(latencyMs));
    seen.labels.merge(LabelCounts.of({ counts, other }));
  }
  return decoded;
}

/** Of nothing, nothing. */
function encodeLabels(seen: LabelCounts): z.infer<typeof labels> | undefined {
  return seen.total === 0 ? undefined : seen.contents();
}

function decodeLabels(encoded: z.infer<typeof labels> | undefined): LabelCounts {
  return encoded === undefined ? new LabelCounts() : LabelCounts.of(encoded);
}

function encodeSketch(seen: Sketch): string {
  return Buffer.from(seen.encode()).toString('base64');
}

function decodeSketch(text: string): Sketch {
  return Sketch.decode(Buffer.from(text, 'base64'));
}
