import { z } from 'zod';
import { checkSchema, type Validation, validationSchema } from '../models/report.ts';
import {
  refusalOf,
  VALIDATION_ID,
  type ValidationRecord,
  validationRecordSchema,
} from '../models/validation-record.ts';
import { toProblem } from './problem.ts';
import { snakeKeys } from './snake-case.ts';

/* Validations and their reports as the control plane shows them. */

const checkJson = z.strictObject(snakeKeys(checkSchema.shape)).meta({ id: 'Check' });

const report = validationSchema.shape;
/** Figures are of the machine that validated, on one thread. */
export const reportJson = z
  .strictObject({
    ...snakeKeys(report),
    checks: z.array(checkJson),
    batch_mates: z.strictObject(snakeKeys(report.batchMates.shape)),
    speed: z.array(z.strictObject(snakeKeys(report.speed.element.shape))),
    batching: z.strictObject(snakeKeys(report.batching.shape)),
  })
  .meta({ id: 'ValidationReport' });
export type ReportJson = z.infer<typeof reportJson>;

/** The members that every problem has; a failure's facts stand beside them. */
const refusedJson = z
  .looseObject({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    instance: z.string(),
    code: z.string(),
    retryable: z.boolean(),
    advice: z.string(),
  })
  .meta({ id: 'Refusal' });

const record = validationRecordSchema.shape;
export const validationJson = z
  .strictObject({
    id: z.string().regex(VALIDATION_ID),
    model: record.model,
    state: z.enum(['queued', 'running', 'accepted', 'refused']),
    model_digest: record.modelDigest,
    model_bytes: record.modelBytes,
    digest: record.digest,
    pushed_by: record.pushedBy,
    created_at_ms: record.createdAtMs,
    /** When this record is forgotten; the version stays. */
    expires_at_ms: record.expiresAtMs,
    /** What has been looked at so far, in order. */
    checks: z.array(checkJson),
    /** What is being looked at now. */
    progress: z.string().nullable(),
    /** Number of the version, once accepted. */
    version: z.string().nullable(),
    /** Why it was refused: a problem (RFC 9457). */
    problem: refusedJson.nullable(),
  })
  .meta({ id: 'Validation' });
export type ValidationJson = z.infer<typeof validationJson>;

export const validationListQuery = z.strictObject({ limit: z.coerce.number().int().min(1).max(1000).default(100) });

export function reportToJson(validation: Validation): ReportJson {
  return {
    ...snakeKeys(validation),
    checks: validation.checks.map(snakeKeys),
    batch_mates: snakeKeys(validation.batchMates),
    speed: validation.speed.map(snakeKeys),
    batching: snakeKeys(validation.batching),
  };
}

export function validationToJson(validation: ValidationRecord): ValidationJson {
  const { id, model, state, checks, progress } = validation;
  const isOpen = state.kind === 'queued' || state.kind === 'running';
  return {
    id,
    model,
    state: state.kind,
    model_digest: validation.modelDigest,
    model_bytes: validation.modelBytes,
    digest: validation.digest,
    pushed_by: validation.pushedBy,
    created_at_ms: validation.createdAtMs,
    expires_at_ms: validation.expiresAtMs,
    checks: checks.map(snakeKeys),
    progress: isOpen ? (progress ?? null) : null,
    version: state.kind === 'accepted' ? state.version : null,
    problem: problemOf(validation),
  };
}

/** Where a validation is read. */
export function validationPath({ id, model }: Pick<ValidationRecord, 'id' | 'model'>): string {
  return `/control/v1/models/${model}/validations/${id}`;
}

function problemOf(validation: ValidationRecord): ValidationJson['problem'] {
  const refusal = refusalOf(validation);
  if (refusal === undefined) return null;
  // The request that pushed it was answered long ago.
  const { request_id: _, ...problem } = toProblem(refusal, {
    instance: validationPath(validation),
    requestId: '',
  }).body;
  return problem as ValidationJson['problem'];
}
