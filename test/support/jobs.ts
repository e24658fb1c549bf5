import type { Job } from '../../core/inference/job.ts';
import type { Tensor } from '../../core/inference/tensor.ts';
import { type Manifest, manifestSchema } from '../../core/models/manifest.ts';
import type { Validation } from '../../core/models/report.ts';
import type { Signature } from '../../core/models/signature.ts';
import type { ModelVersion } from '../../core/models/version.ts';

let count = 0;

/** A job of model `m` version 1 with one FP32 input `x`, unless told otherwise. */
export function aJob(changes: Partial<Job> = {}): Job {
  count += 1;
  const nowMs = performance.timeOrigin + performance.now();
  const inputs = changes.inputs ?? [floats('x', [changes.rows ?? 1, 1], [])];
  return {
    id: `pred_${count.toString(16).padStart(32, '0')}`,
    tenant: 'acme',
    principal: 'key:1',
    model: 'm',
    requestedModel: changes.model ?? 'm',
    version: '1',
    versionNamed: false,
    pool: 'default',
    lane: 'interactive',
    outputs: undefined,
    clientId: undefined,
    rows: inputs[0]?.shape[0] ?? 1,
    acceptedAtMs: nowMs,
    deadlineMs: nowMs + 30_000,
    weight: 1,
    reservedComputeMs: 50,
    durable: false,
    notify: false,
    captureUntilMs: undefined,
    traceparent: undefined,
    ...changes,
    inputs,
  };
}

/** Missing elements are 0. */
export function floats(name: string, shape: readonly number[], data: readonly number[]): Tensor {
  const array = new Float32Array(shape.reduce((product, size) => product * size, 1));
  array.set(data);
  return { name, datatype: 'FP32', shape, data: array };
}

export const ROW_SIGNATURE: Signature = {
  inputs: [{ name: 'x', datatype: 'FP32', shape: ['batch', 1] }],
  outputs: [{ name: 'y', datatype: 'FP32', shape: ['batch', 1] }],
};

/** What a sound model without a batch policy of its own might have been found to be. */
export function aValidation({ rowMs = 0.1, memoryBytes = 1_000_000 }: ValidationChanges = {}): Validation {
  return {
    checks: [],
    goldenPairs: 0,
    largestDifference: 0,
    loadMs: 20,
    rowMs,
    memoryBytes,
    batchMates: { verdict: 'independent', largestDifference: 0 },
    speed: [],
    batching: { maxRows: 64, maxPaddedElements: 1024, maxBatchMs: 15 },
    usdPerThousand: 0,
    repairs: [],
    tookMs: 0,
  };
}

type ValidationChanges = { readonly rowMs?: number | undefined; readonly memoryBytes?: number | undefined };

type VersionChanges = {
  readonly model?: string;
  readonly version?: string;
  readonly signature?: Signature;
  readonly manifest?: Omit<Partial<Manifest>, 'batching' | 'name'> & {
    readonly batching?: Partial<Manifest['batching']>;
  };
  readonly rowMs?: number | undefined;
  readonly memoryBytes?: number | undefined;
};

export function aVersion(changes: VersionChanges = {}): ModelVersion {
  const model = changes.model ?? 'm';
  const version = changes.version ?? '1';
  const digest = `${model}@${version}`.padEnd(64, '0');
  return {
    model,
    version,
    modelDigest: digest,
    modelBytes: 1000,
    digest,
    manifest: manifestSchema.parse({ name: model, ...changes.manifest }),
    signature: changes.signature ?? ROW_SIGNATURE,
    validation: aValidation({ rowMs: changes.rowMs, memoryBytes: changes.memoryBytes }),
    pushedBy: 'key:1',
    pushedAtMs: 0,
  };
}
