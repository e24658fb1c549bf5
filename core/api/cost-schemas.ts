import { z } from 'zod';
import { alarmSharesSchema, budgetScopeSchema } from '../cost/budget.ts';
import { COST_KEYS } from '../cost/sum-cost.ts';
import { tenantIdSchema } from '../tenancy/tenant.ts';
import { PARAMS } from './params.ts';

/** `2026-11-01`, or a time, of which the whole UTC day counts. */
const moment = z.union([z.iso.date(), z.iso.datetime({ offset: true })]);
const span = {
  /** The first day; 30 days before the last one unless told. */
  from: moment.optional(),
  /** Before this day; with today unless told. */
  until: moment.optional(),
};
const limit = z.coerce.number().int().min(1).max(1000).default(100);
export const costQuery = z.strictObject({ ...span, by: z.enum(COST_KEYS).default('day'), limit });
export const tenantCostQuery = z.strictObject({ ...span, by: z.enum(['day', 'model']).default('day'), limit });

const usd = z.number().min(0);
const count = z.int().min(0);
const share = z.number().min(0).max(1);
const spent = {
  cost_usd: usd,
  compute_s: z.number().min(0),
  /** Predictions: rows that were answered. */
  rows: count,
  requests: count,
  /** Of a thousand rows; null where there are none. */
  usd_per_thousand: usd.nullable(),
};
const spentJson = z.strictObject(spent).meta({ id: 'Spent' });

const costItemJson = z
  .strictObject({
    /** What `by` names. */
    day: z.iso.date().optional(),
    /** null: the platform's own runs, shadow copies of releases and synthetic checks. */
    tenant: tenantIdSchema.nullable().optional(),
    model: PARAMS.model.schema.optional(),
    version: PARAMS.version.schema.optional(),
    pool: z.string().optional(),
    ...spent,
    /** By day and by pool: what its workers cost beside that. */
    idle_usd: usd.optional(),
    idle_share: share.optional(),
    worker_hours: z.number().min(0).optional(),
    gpu: z.boolean().optional(),
    /** What its workers ran on, as `g5.xlarge spot`. */
    instances: z.array(z.string()).optional(),
    /** By model and by version: requests that were answered from the cache, at no cost, as far back as telemetry is kept. */
    cache_hits: count.optional(),
  })
  .meta({ id: 'CostItem' });

const report = {
  /** Whole UTC days: the first, and the one after the last. */
  from: z.iso.datetime(),
  until: z.iso.datetime(),
  by: z.enum(COST_KEYS),
  currency: z.literal('USD'),
};

export const costJson = z
  .strictObject({
    ...report,
    /** What workers cost: items, `rest` and `idle_usd` add up to it. */
    total_usd: usd,
    idle_usd: usd,
    idle_share: share,
    /** Of workers with GPUs; null where none was up. */
    gpu_idle_share: share.nullable(),
    items: z.array(costItemJson),
    /** What is beyond `limit`. */
    rest: spentJson.nullable(),
  })
  .meta({ id: 'Cost' });

export const tenantCostJson = z
  .strictObject({
    tenant: tenantIdSchema,
    ...report,
    total_usd: usd,
    items: z.array(
      z
        .strictObject({ day: z.iso.date().optional(), model: PARAMS.model.schema.optional(), ...spent })
        .meta({ id: 'TenantCostItem' }),
    ),
    rest: spentJson.nullable(),
  })
  .meta({ id: 'TenantCost' });

/** What a tenant has used since its UTC month began. */
export const monthUsageJson = z
  .strictObject({
    start_ms: z.int().min(0),
    compute_ms: z.number().min(0),
    requests: count,
    rows: count,
    cost_usd: usd,
  })
  .meta({ id: 'MonthUsage' });

const budgetFields = {
  scope: budgetScopeSchema,
  /** Of each UTC day, of each UTC month: one of them at least. */
  usd_per_day: z.number().positive().max(1_000_000_000).optional(),
  usd_per_month: z.number().positive().max(1_000_000_000).optional(),
};
export const budgetPutBody = z
  .strictObject({
    ...budgetFields,
    /** Shares at which it is told, in order. */
    alarm_at: alarmSharesSchema.default([0.8, 1]),
    /** The epoch that was read: the change is refused if there was another since; 0: there must be none. */
    epoch: z.int().min(0).optional(),
  })
  .refine(({ usd_per_day, usd_per_month }) => usd_per_day !== undefined || usd_per_month !== undefined, {
    error: 'usd_per_day, usd_per_month or both',
    path: ['usd_per_day'],
  })
  .meta({ id: 'BudgetPut' });
export const budgetJson = z
  .strictObject({
    scope: budgetScopeSchema,
    usd_per_day: usd.nullable(),
    usd_per_month: usd.nullable(),
    alarm_at: alarmSharesSchema,
    epoch: z.int(),
    spent_day_usd: usd,
    /** null: nothing is set for the month. */
    spent_month_usd: usd.nullable(),
    /** Of the day or the month, whichever is nearer to its end; more than 1: over it. */
    spent_share: z.number().min(0),
    /** The highest of `alarm_at` that is reached. */
    reached: z.number().nullable(),
    state: z.enum(['ok', 'alarm']),
  })
  .meta({ id: 'Budget' });
export const budgetQuery = z.strictObject({ scope: budgetScopeSchema });

export const orphansQuery = z.strictObject({ days: z.coerce.number().int().min(1).max(180).default(30) });
const model = PARAMS.model.schema;
const version = PARAMS.version.schema;
const pushed = { model, version, pushed_at: z.iso.datetime() };
export const orphansJson = z
  .strictObject({
    at: z.iso.datetime(),
    days: z.int(),
    items: z.array(
      z.discriminatedUnion('kind', [
        /** Nobody called it; its stable version is named, and when its newest one was pushed. */
        z.strictObject({ kind: z.literal('model'), ...pushed }),
        /** Neither stable nor of any release, and nobody called it by its number. */
        z.strictObject({ kind: z.literal('version'), ...pushed }),
        /** Nobody used its workers. */
        z.strictObject({ kind: z.literal('pool'), pool: z.string(), cost_usd: usd }),
      ]),
    ),
    has_more: z.boolean(),
  })
  .meta({ id: 'Orphans' });
