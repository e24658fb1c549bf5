import { compareGolden } from '../models/compare-golden.ts';
import type { Manifest } from '../models/manifest.ts';
import type { JobLabels } from '../quality/job-end.ts';
import { MIB, SECOND_MS } from '../units.ts';
import type { Job, Outcome, StableAnswer } from './job.ts';
import { newPredictionId } from './prediction-id.ts';
import type { Tensor } from './tensor.ts';
import { dataBytes } from './tensor-codec.ts';

/** A copy that has not run by then says nothing: what is in its way comes first. */
const RUNS_WITHIN_MS = 10 * SECOND_MS;
/** Of inputs and what is compared: four images of 224 × 224. */
const MOST_BYTES = MIB;

type Succeeded = Extract<Outcome, { kind: 'succeeded' }>;

/**
 * The copy of an answered job for the candidate that is to answer it too, with stable's labels, or its outputs where the version does not classify.
 * Undefined if the job is not shadowed, another version than its own answered, or the copy would be larger than a MiB.
 */
export function shadowOf(
  { shadowOn, ...job }: Job,
  { version, outputs }: Succeeded,
  { labels, tokenizer }: { readonly labels: JobLabels | undefined; readonly tokenizer: string | undefined },
  nowMs: number,
): Job | 'too-large' | undefined {
  if (shadowOn === undefined || version !== job.version) return undefined;
  const shadow = { ...stableAnswerOf(job.rows, outputs, labels), tokenizer };
  if (bytesOf(job.inputs) + (shadow.kind === 'outputs' ? bytesOf(shadow.outputs) : 0) > MOST_BYTES) return 'too-large';
  return {
    ...job,
    id: newPredictionId(),
    version: shadowOn,
    // On the candidate or not at all.
    versionNamed: true,
    lane: 'bulk',
    clientId: undefined,
    acceptedAtMs: nowMs,
    deadlineMs: nowMs + RUNS_WITHIN_MS,
    reservedComputeMs: 0,
    durable: false,
    notify: false,
    captureUntilMs: undefined,
    traceparent: undefined,
    shadow,
  };
}

/** True if the candidate says what stable said: the same label in every row, or outputs within the candidate's tolerance. */
export function agrees(
  { rows }: Pick<Job, 'rows'>,
  stable: StableAnswer,
  { outputs, labels }: { readonly outputs: readonly Tensor[]; readonly labels: JobLabels | undefined },
  tolerance: Manifest['tolerance'],
): boolean {
  if (stable.kind === 'outputs') return compareGolden(stable.outputs, outputs, tolerance).kind === 'agrees';
  const found = labelsOf(rows, labels);
  return found?.every((label, row) => label === stable.labels[row]) ?? false;
}

function stableAnswerOf(rows: number, outputs: readonly Tensor[], labels: JobLabels | undefined): StableAnswer {
  const found = labelsOf(rows, labels);
  return found === undefined ? { kind: 'outputs', outputs } : { kind: 'labels', labels: found };
}

/** Undefined unless every row has one. */
function labelsOf(rows: number, labels: JobLabels | undefined): readonly string[] | undefined {
  if (labels === undefined) return undefined;
  const found: string[] = [];
  for (let row = labels.firstRow; row < labels.firstRow + rows; row += 1) {
    const label = labels.run.labelAt(row);
    if (label === undefined) return undefined;
    found.push(label);
  }
  return found;
}

function bytesOf(tensors: readonly Tensor[]): number {
  let bytes = 0;
  for (const { data } of tensors) bytes += dataBytes(data);
  return bytes;
}
