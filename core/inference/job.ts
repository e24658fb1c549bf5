import type { FailureCode, FailureFacts } from '../failure.ts';
import type { Degradation } from './degradation.ts';
import type { Tensor } from './tensor.ts';

export const LANES = ['interactive', 'bulk'] as const;
/** Interactive: somebody waits. Bulk: nobody does. Each has a queue of its own in every pool. */
export type Lane = (typeof LANES)[number];

/** Of a request that a release drew by lot: what names its telemetry, the slice of buckets, and the hash of its unit. */
export type Lot = { readonly release: string; readonly cohort: number; readonly unit: number };

/** What a release decided of a request; nothing where none had to do with it. */
export type Assignment = {
  /** Undefined also of tenants and plans that the release names. */
  readonly lot?: Lot | undefined;
  /** True: it was put on the candidate, and runs on stable once that is revoked. */
  readonly onCandidate?: boolean | undefined;
  /** The candidate, which is to answer a copy of it once stable has answered. */
  readonly shadowOn?: string | undefined;
};

/**
 * What stable answered to the request that a shadow copy is of: the label of each row, or the outputs that were asked for. `tokenizer` is the digest of what
 * made the ids among its inputs: another version's would have made others.
 */
export type StableAnswer = { readonly tokenizer?: string | undefined } & (
  | { readonly kind: 'labels'; readonly labels: readonly string[] }
  | { readonly kind: 'outputs'; readonly outputs: readonly Tensor[] }
);

/** One admitted request, with everything that a worker needs and nothing that it could ask elsewhere. */
export type Job = Assignment & {
  /** `pred_` and 32 hex digits; unguessable. */
  readonly id: string;
  readonly tenant: string;
  /** Principal id, for the audit of who asked. */
  readonly principal: string;
  /** The model that runs. */
  readonly model: string;
  /** As the caller named it: another one where the plan has a variant. */
  readonly requestedModel: string;
  /** Chosen once, at admission. */
  readonly version: string;
  /** True if the caller named the version: then it runs on that one or not at all. */
  readonly versionNamed: boolean;
  readonly pool: string;
  readonly lane: Lane;
  readonly inputs: readonly Tensor[];
  /** Names of the outputs to return, in order; undefined is all. */
  readonly outputs: readonly string[] | undefined;
  /** Echoed to the caller. */
  readonly clientId: string | undefined;
  readonly rows: number;
  readonly acceptedAtMs: number;
  /** Absolute; work past it is dropped before compute (1 s of clock skew is tolerated). */
  readonly deadlineMs: number;
  /** The plan's share under contention. */
  readonly weight: number;
  /** Compute reserved from the daily budget; settled once with what was used. */
  readonly reservedComputeMs: number;
  /** Durable jobs survive a crash of every process; the others live as long as their caller's connection. */
  readonly durable: boolean;
  /** True if it is answered with 202 at once and its tenant has webhooks, which then tell of its end; later `Jobs.requestNotice` does that. */
  readonly notify: boolean;
  /** When a copy of inputs and outputs, kept with the tenant's consent, is to be forgotten; undefined keeps none. */
  readonly captureUntilMs: number | undefined;
  readonly traceparent: string | undefined;
  /** Why this model answers for another one, whose fallback it is; undefined: it does not. */
  readonly degraded?: Degradation | undefined;
  /**
   * Of a shadow copy: what to compare with. Nobody waits for it or pays for it, its answer goes nowhere, it is run at most once
   * and dropped wherever it would be in the way.
   */
  readonly shadow?: StableAnswer | undefined;
};

/** How a job ended. The first one written is the one that every reader sees. */
export type Outcome =
  | {
      readonly kind: 'succeeded';
      readonly version: string;
      readonly outputs: readonly Tensor[];
      readonly computeMs: number;
      readonly queueMs: number;
      readonly batchRows: number;
      readonly endedAtMs: number;
    }
  | {
      readonly kind: 'failed';
      readonly code: FailureCode;
      readonly facts: FailureFacts;
      readonly computeMs: number;
      readonly endedAtMs: number;
    };

/**
 * submitting: written, not yet surely in the queue (the sweeper re-sends it). queued: in the queue.
 * running: a worker has started attempt n. ended: `Outcome` is final (a cancelled or expired job ends as failed).
 */
export type JobState =
  | { readonly kind: 'submitting' }
  | { readonly kind: 'queued' }
  | { readonly kind: 'running'; readonly attempt: number }
  | { readonly kind: 'ended'; readonly outcome: Outcome };

/** What is kept of a durable job. Inputs are sealed at rest and left out once the job has ended. */
export type JobRecord = {
  readonly job: Job;
  readonly state: JobState;
  readonly expiresAtMs: number;
};
