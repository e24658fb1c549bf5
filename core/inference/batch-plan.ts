import { type BatchingFacts, batchingOf } from '../models/batching.ts';
import type { Manifest } from '../models/manifest.ts';
import type { Speed } from '../models/report.ts';
import { isBatchable, type Signature } from '../models/signature.ts';
import type { ModelVersion } from '../models/version.ts';
import type { Job } from './job.ts';
import { lengthStep, type PaddingSteps, paddingSteps } from './padding-steps.ts';

/** A free dimension that may be filled up: the same name has the same length everywhere in a run. */
export type PaddedInput = { readonly value: number; readonly axes: ReadonlyMap<number, string> };

/** What one version allows its runs to be, worked out once. */
export type BatchPlan = {
  /** `model@version`. */
  readonly version: string;
  /** True: every request has a run of its own. */
  readonly alone: boolean;
  /** True: only requests of one tenant share a run. */
  readonly perTenant: boolean;
  readonly maxRows: number;
  readonly maxPaddedElements: number;
  readonly maxBatchMs: number;
  /** By input name; empty if rows of different lengths never share a run. */
  readonly padded: ReadonlyMap<string, PaddedInput>;
  /** By output name: which axes are cut back to the request's own length, and by which dimension's name. */
  readonly cut: ReadonlyMap<string, ReadonlyMap<number, string>>;
  /** One place (input and axis) of each padded dimension: its length decides the step. */
  readonly steps: readonly { readonly input: string; readonly axis: number }[];
  readonly stepOf: PaddingSteps;
  /** Names of inputs whose free dimensions after the first must be equal within a run. */
  readonly exact: ReadonlySet<string>;
};

/** Which requests may share a run with this one, and what a row of it weighs. */
export type Bucket = {
  /** Requests with equal keys may share a run, no others. */
  readonly key: string;
  /** Elements of a row of the largest padded input, or of the largest input where nothing is padded. */
  readonly length: number;
  /** Rows of about one length, whose measured times belong together. */
  readonly costKey: number;
};

type Plannable = BatchingFacts &
  Pick<ModelVersion, 'model' | 'version' | 'signature' | 'graphSignature'> & {
    /** Not there while a model is being measured. */
    readonly validation: { readonly speed?: readonly Speed[] };
  };

export function planBatches(version: Plannable): BatchPlan {
  const { manifest } = version;
  const signature = version.graphSignature ?? version.signature;
  const batching = batchingOf(version);
  const names = paddableNames(signature, manifest);
  const padded = new Map<string, PaddedInput>();
  const exact = new Set<string>();
  for (const input of signature.inputs) {
    const free = freeAxes(input.shape);
    if (free.size === 0) continue;
    const value = manifest.inputs[input.name]?.pad;
    if (value !== undefined && isSubset(free, names)) padded.set(input.name, { value, axes: free });
    else exact.add(input.name);
  }
  const cut = new Map(
    padded.size === 0 ? [] : signature.outputs.map((output) => [output.name, freeAxes(output.shape)] as const),
  );
  const steps = firstPlaces(padded);
  // What was measured counts elements of a row, which are a dimension's length where there is one such dimension.
  const measured = steps.length === 1 ? (version.validation.speed ?? []) : [];
  return {
    version: `${version.model}@${version.version}`,
    alone: !isBatchable(signature) || !keepsRowsApart(signature) || batching.maxRows === 1,
    perTenant: batching.perTenant,
    maxRows: batching.maxRows,
    maxPaddedElements: batching.maxPaddedElements,
    maxBatchMs: batching.maxBatchMs,
    padded,
    cut,
    steps,
    stepOf: paddingSteps(measured, manifest.limits.maxLength),
    exact,
  };
}

/** Two requests share a run only if every dimension that is not padded is equal, and padded ones are within a step. */
export function bucketOf(plan: BatchPlan, job: Pick<Job, 'tenant' | 'inputs'>): Bucket {
  let key = plan.perTenant ? `${plan.version}\n${job.tenant}` : plan.version;
  let steps = '';
  let length = 1;
  for (const { name, shape } of job.inputs) {
    const isPadded = plan.padded.has(name);
    if (isPadded || plan.padded.size === 0) length = Math.max(length, rowElements(shape));
    if (plan.exact.has(name)) key += `\n${name} ${shape.slice(1).join()}`;
    if (!isPadded) continue;
    for (const step of plan.steps) if (step.input === name) steps += `\n${plan.stepOf(shape[step.axis]!)}`;
  }
  return { key: key + steps, length, costKey: lengthStep(length) };
}

/**
 * The buckets of the next shorter and the next longer rows: padding apart, they could share a run with those of this one.
 * None where more than one dimension is padded, or where company is not to be sought.
 */
export function nearBuckets(plan: BatchPlan, key: string): readonly string[] {
  if (plan.steps.length !== 1 || plan.alone || plan.perTenant) return [];
  const end = key.lastIndexOf('\n') + 1;
  const step = Number(key.slice(end));
  return [step - 1, step + 1].map((near) => `${key.slice(0, end)}${near}`);
}

/**
 * True if every free dimension after the first comes from the request itself. One that has the name of a first dimension
 * grows with the run ([batch, batch]: every row against every other), and one of an output that no input names may: what is
 * split along the first dimension would then hold other requests' columns.
 */
function keepsRowsApart({ inputs, outputs }: Signature): boolean {
  const rowNames = new Set([...inputs, ...outputs].map(({ shape }) => shape[0]).filter((name) => name !== ''));
  const own = new Set(inputs.flatMap(({ shape }) => [...freeAxes(shape).values()]));
  if ([...own].some((name) => rowNames.has(name))) return false;
  own.delete('');
  return outputs.every(({ shape }) => [...freeAxes(shape).values()].every((name) => own.has(name)));
}

/** Dimension names that may be padded: named, and padded by every input that has them. */
function paddableNames(signature: Signature, manifest: Manifest): ReadonlySet<string> {
  const names = new Set<string>();
  for (const input of signature.inputs) for (const name of freeAxes(input.shape).values()) names.add(name);
  names.delete('');
  for (const input of signature.inputs) {
    if (manifest.inputs[input.name]?.pad !== undefined && input.datatype !== 'BYTES') continue;
    for (const name of freeAxes(input.shape).values()) names.delete(name);
  }
  return names;
}

/** Free dimensions after the first, by axis. */
function freeAxes(shape: readonly (number | string)[]): ReadonlyMap<number, string> {
  return new Map(
    shape.flatMap((dimension, axis) => (axis > 0 && typeof dimension === 'string' ? [[axis, dimension]] : [])),
  );
}

function isSubset(axes: ReadonlyMap<number, string>, names: ReadonlySet<string>): boolean {
  for (const name of axes.values()) if (!names.has(name)) return false;
  return true;
}

function firstPlaces(padded: ReadonlyMap<string, PaddedInput>): BatchPlan['steps'] {
  const places = new Map<string, { input: string; axis: number }>();
  for (const [input, { axes }] of padded) {
    for (const [axis, name] of axes) if (!places.has(name)) places.set(name, { input, axis });
  }
  return [...places.values()];
}

function rowElements(shape: readonly number[]): number {
  let elements = 1;
  for (let axis = 1; axis < shape.length; axis += 1) elements *= shape[axis]!;
  return elements;
}

/** The `model@version` that a bucket's key begins with. */
export function versionOfBucket(key: string): string {
  const end = key.indexOf('\n');
  return end === -1 ? key : key.slice(0, end);
}
