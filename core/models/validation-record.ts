import { z } from 'zod';
import { FAILURES, Failure, type FailureCode, type FailureFacts } from '../failure.ts';
import { DAY_MS } from '../units.ts';
import { manifestSchema } from './manifest.ts';
import { checkSchema } from './report.ts';

export const VALIDATION_ID = /^val_[0-9a-f]{32}$/;

/** A refused push is looked at by people, who may be away for a while. */
export const KEPT_MS = 30 * DAY_MS;

const sha256 = z.string().length(64);

/** A push between its upload and its version. Ended ones are kept for 30 days, with what was found. */
export const validationRecordSchema = z.strictObject({
  /** `val_` and 32 hex digits. */
  id: z.string().regex(VALIDATION_ID),
  model: z.string(),
  manifest: manifestSchema,
  /** Of the files as pushed. */
  modelDigest: sha256,
  modelBytes: z.int().min(1),
  goldenDigest: sha256.optional(),
  tokenizerDigest: sha256.optional(),
  referenceDigest: sha256.optional(),
  digest: sha256,
  pushedBy: z.string(),
  createdAtMs: z.int(),
  expiresAtMs: z.int(),
  state: z.discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('queued') }),
    z.strictObject({ kind: z.literal('running'), leaseUntilMs: z.number(), attempts: z.int().min(1) }),
    z.strictObject({ kind: z.literal('accepted'), version: z.string() }),
    /** `code` is a failure code, `facts` its facts. */
    z.strictObject({ kind: z.literal('refused'), code: z.string(), facts: z.record(z.string(), z.unknown()) }),
  ]),
  /** What has been looked at so far. */
  checks: z.array(checkSchema),
  /** What is being looked at now, for people. */
  progress: z.string().optional(),
  epoch: z.int().min(1),
});

export type ValidationRecord = z.infer<typeof validationRecordSchema>;
export type RunningRecord = ValidationRecord & { readonly state: { readonly kind: 'running' } };

/** Why a validation was refused; undefined of any other. A code that this release does not know is `internal`. */
export function refusalOf({ state }: ValidationRecord): Failure | undefined {
  if (state.kind !== 'refused') return undefined;
  const code = Object.hasOwn(FAILURES, state.code) ? (state.code as FailureCode) : 'internal';
  return new Failure(code, state.facts as FailureFacts);
}
