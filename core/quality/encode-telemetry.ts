import { z } from 'zod';
import { FAILURES, type FailureCode } from '../failure.ts';
import type { Cohort, ReleaseTelemetry, Telemetry } from '../ports/telemetry.ts';
import { CONFIDENCE_BINS, Confidence } from './confidence.ts';
import { LabelCounts } from './label-counts.ts';
import { Sketch } from './sketch.ts';
import { cohortIn, emptyTelemetry } from './telemetry.ts';
import { UnitSample } from './unit-sample.ts';

const count = z.number().min(0);
const sketch = z.base64();
const labels = z.strictObject({ counts: z.array(z.tuple([z.string(), count])), other: count });
const shadow = z.strictObject({ compared: count, agreed: count, candidateFailed: count });
const cohort = z.strictObject({
  requests: count,
  errors: count,
  computeMs: count,
  latencyMs: sketch,
  labels,
  confidence: count,
  confidences: count,
  feedback: count,
  feedbackCorrect: count,
  shadow,
});
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
  shadow,
  feedback: count,
  feedbackCorrect: count,
  tenants: labels,
  release: z
    .strictObject({
      release: z.string(),
      cohorts: z.array(z.tuple([z.int().min(0), cohort])),
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
    tenants: LabelCounts.of(read.tenants),
    release: read.release === undefined ? undefined : decodeRelease(read.release),
  };
  return telemetry;
}

function encodeRelease({ release, cohorts, failingUnits }: ReleaseTelemetry): NonNullable<Encoded['release']> {
  const encodeCohort = (seen: Cohort): EncodedCohort => ({
    ...seen,
    latencyMs: encodeSketch(seen.latencyMs),
    labels: seen.labels.contents(),
  });
  return {
    release,
    cohorts: [...cohorts].map(([number, seen]) => [number, encodeCohort(seen)]),
    failingUnits: [...failingUnits.hashes()],
  };
}

function decodeRelease({ release, cohorts, failingUnits }: NonNullable<Encoded['release']>): ReleaseTelemetry {
  const decoded: ReleaseTelemetry = { release, cohorts: new Map(), failingUnits: new UnitSample(failingUnits) };
  for (const [number, { latencyMs, labels: counts, ...rest }] of cohorts) {
    const seen = cohortIn(decoded, number);
    Object.assign(seen, rest);
    seen.latencyMs.merge(decodeSketch(latencyMs));
    seen.labels.merge(LabelCounts.of(counts));
  }
  return decoded;
}

function encodeSketch(seen: Sketch): string {
  return Buffer.from(seen.encode()).toString('base64');
}

function decodeSketch(text: string): Sketch {
  return Sketch.decode(Buffer.from(text, 'base64'));
}
