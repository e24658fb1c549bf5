import type { MeasuredBatching, Validation } from './report.ts';
import type { ModelVersion } from './version.ts';

export type Batching = {
  /** 1: every request has a run of its own. */
  readonly maxRows: number;
  /** Infinite where length plays no part. */
  readonly maxPaddedElements: number;
  readonly maxBatchMs: number;
  /** True: only requests of one tenant share a run. */
  readonly perTenant: boolean;
};

/** What of a version decides how its batches are formed. */
export type BatchingFacts = {
  readonly manifest: ModelVersion['manifest'];
  readonly validation: Pick<Validation, 'batching' | 'batchMates'>;
};

/** What the manifest says, else what validation measured. */
export function batchingOf({ manifest, validation }: BatchingFacts): Batching {
  const said = manifest.batching;
  const measured: MeasuredBatching = validation.batching;
  const { verdict } = validation.batchMates;
  return {
    maxRows: verdict === 'never-batched' ? 1 : (said.maxRows ?? measured.maxRows),
    maxPaddedElements: said.maxPaddedElements ?? measured.maxPaddedElements ?? Number.POSITIVE_INFINITY,
    maxBatchMs: said.maxBatchMs ?? measured.maxBatchMs,
    perTenant: said.batchMateDependent || verdict === 'size-dependent' || verdict === 'mate-dependent',
  };
}
