import { z } from 'zod';
import { FAILURES, type FailureCode } from '../failure.ts';
import { LANES } from '../inference/job.ts';
import { POOL_ID } from '../models/manifest.ts';
import { LOGGED_LEVELS } from '../ports/log-levels.ts';
import { tenantIdSchema } from '../tenancy/tenant.ts';
import { PARAMS } from './params.ts';
import { pageQuery } from './schemas.ts';

/** Bodies of the routes by which a region is operated. Times are ISO 8601. */
const at = z.iso.datetime();
const count = z.int().min(0);
const poolName = z.string().regex(POOL_ID, 'a pool name');
const failureCode = z.enum(Object.keys(FAILURES) as FailureCode[]);

const laneJson = z.strictObject({
  lane: z.enum(LANES),
  /** Jobs that wait, about. */
  depth: count,
  /** How long the first of them has waited; null where the queue cannot tell (SQS tells CloudWatch alone). */
  oldest_s: z.number().min(0).nullable(),
});

const loadedJson = z.strictObject({
  model: z.string(),
  version: z.string(),
  /** Measured milliseconds of a row of late; null where nothing was run. */
  row_ms: z.number().min(0).nullable(),
  breaker: z.enum(['open', 'half-open', 'closed']),
  /** Runners that have run it, where a release keeps it warm. */
  warm: count.nullable(),
});

const workerJson = z.strictObject({
  worker: z.string(),
  runners: count,
  /** Of the runners, those that load or run; null of a worker that does not say. */
  busy: count.nullable(),
  /** Measured compute of what it holds and has not started. */
  backlog_ms: z.number().min(0),
  loaded: z.array(loadedJson),
  draining: z.boolean(),
  /** Resident memory of its runners. */
  memory_bytes: z.number().min(0).nullable(),
  /** CPU that they took, of as many cores as there are runners; null where it cannot be told. */
  cpu_share: z.number().min(0).nullable(),
  gpu: z.strictObject({ busy_share: z.number(), memory_bytes: z.number(), total_bytes: z.number() }).nullable(),
  up_s: z.number().min(0).nullable(),
  /** When it reported. */
  at,
});

export const poolJson = z
  .strictObject({ pool: z.string(), lanes: z.array(laneJson), workers: z.array(workerJson) })
  .meta({ id: 'Pool' });

export const deadLetterJson = z
  .strictObject({
    id: PARAMS.letter.schema,
    tenant: tenantIdSchema,
    /** The prediction that was given up; its failure stays what it is. */
    prediction: z.string(),
    /** null where the job cannot be read. */
    model: z.string().nullable(),
    version: z.string().nullable(),
    pool: z.string(),
    lane: z.enum(LANES),
    reason: failureCode,
    /** How often it was handed out or started, about. */
    attempts: count,
    /** False: nothing is left of it that could be run. */
    redrivable: z.boolean(),
    at,
  })
  .meta({ id: 'DeadLetter' });
export const deadLetterQuery = pageQuery.extend({ pool: poolName.optional(), tenant: tenantIdSchema.optional() });
export const ownDeadLetterQuery = pageQuery.extend({ pool: poolName.optional() });
export const redrivenJson = z
  .strictObject({
    /** As which it runs again. */
    prediction: PARAMS.prediction.schema,
    /** The one that was given up. */
    redrive_of: z.string(),
  })
  .meta({ id: 'Redriven' });

export const auditJson = z
  .strictObject({
    seq: z.int().min(1),
    at,
    /** Principal id; `operator` where one is shown to a tenant; `nobody` whose credentials were refused. */
    by: z.string(),
    role: z.string(),
    tenant: z.string().nullable(),
    /** The id of a route. */
    action: z.string(),
    /** What stood in its path, by name. */
    target: z.record(z.string(), z.string()),
    /** `begun`: it is under way, or nobody knows what became of it. */
    outcome: z.enum(['done', 'refused', 'failed', 'begun']),
    /** null while it is under way. */
    status: z.int().nullable(),
    code: z.string().nullable(),
    reason: z.string().nullable(),
    /** Refusals before this one that were too many to be recorded. */
    skipped: z.int().nullable(),
    hash: z.string(),
  })
  .meta({ id: 'AuditEntry' });
const auditFilter = {
  from: at.optional(),
  until: at.optional(),
  by: z.string().max(200).optional(),
  action: z.string().max(100).optional(),
};
export const auditQuery = pageQuery.extend({ ...auditFilter, tenant: tenantIdSchema.optional() });
export const ownAuditQuery = pageQuery.extend(auditFilter);

export const logLevelBody = z
  .strictObject({
    level: z.enum(LOGGED_LEVELS),
    /** For how long: it goes back by itself. */
    minutes: z.int().min(1).max(1440),
  })
  .meta({ id: 'LogLevelPut' });
export const logLevelJson = z
  .strictObject({
    /** null: each process logs as it was started. */
    level: z.enum(LOGGED_LEVELS).nullable(),
    until: at.nullable(),
    by: z.string().nullable(),
  })
  .meta({ id: 'LogLevel' });

const headJson = z.strictObject({ seq: z.int().min(1), hash: z.string() });
export const verificationQuery = z.strictObject({
  /** Default: the first entry. */
  from_seq: z.coerce.number().int().min(1).optional(),
  /** A head that was noted down before, as `seq:hash`: it must be in the chain still. */
  known: z
    .string()
    .regex(/^[1-9][0-9]{0,14}:[0-9a-f]{64}$/, 'a head is wanted, as seq:hash')
    .optional(),
});
export const verificationJson = z
  .strictObject({
    ok: z.boolean(),
    /** Entries that were looked at, from the first to the last of these. */
    entries: count,
    from_seq: z.int(),
    until_seq: z.int(),
    /** False: time was up; ask again with `from_seq` after `until_seq`. */
    complete: z.boolean(),
    head: headJson.nullable(),
    broken_at_seq: z.int().nullable(),
    why: z.string().nullable(),
  })
  .meta({ id: 'AuditVerification' });
