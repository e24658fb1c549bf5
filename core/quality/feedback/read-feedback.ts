import { Failure } from '../../failure.ts';
import type { Platform } from '../../ports/platform.ts';
import type { Telemetry } from '../../ports/telemetry.ts';
import { readTenant } from '../../tenancy/manage-tenants.ts';
import type { Tenant } from '../../tenancy/tenant.ts';
import { DAY_MS } from '../../units.ts';
import type { LabelCounts } from '../label-counts.ts';
import { mergeTelemetry } from '../telemetry.ts';
import { classesOf, macroF1 } from './classes.ts';
import { accuracyOf, type FeedbackCounts, type FeedbackReport, reportOf } from './report.ts';
import { FeedbackTally } from './tally.ts';

export type FeedbackAsked = {
  readonly model: string;
  /** Undefined: the stable one. */
  readonly version: string | undefined;
  readonly fromMs: number;
  readonly untilMs: number;
};

export type FeedbackStep = {
  readonly atMs: number;
  readonly count: number;
  readonly accuracy: number | undefined;
  readonly macroF1: number | undefined;
};
export type TenantAccuracy = {
  readonly tenant: string;
  readonly count: number;
  readonly accuracy: number | undefined;
};

export type ReadFeedback = FeedbackReport & {
  readonly version: string;
  /** Share of a candidate's shadow answers that agree with stable's. */
  readonly agreement: number | undefined;
  /** In order; steps without feedback are left out. */
  readonly steps: readonly FeedbackStep[];
  /** Those with the most feedback first. */
  readonly tenants: readonly TenantAccuracy[];
};

const MOST_TENANTS = 20;

/** What the feedback of a span says of a version, whoever gave it; times are those of arrival. `model-unknown`, `version-unknown`. */
export async function readFeedback(
  ports: Pick<Platform, 'registry' | 'telemetry'>,
  asked: FeedbackAsked & { readonly stepMs: number },
): Promise<ReadFeedback> {
  const { model, fromMs, untilMs, stepMs } = asked;
  const version = await versionOf(ports, asked);
  const series = await ports.telemetry.series(model, version, fromMs, untilMs, stepMs);
  const all = mergeTelemetry(series.map(({ telemetry }) => telemetry));
  const { compared, agreed } = all.shadow;
  return {
    ...reportOf(countsOf(all)),
    version,
    agreement: compared === 0 ? undefined : agreed / compared,
    steps: series.flatMap(({ startMs, telemetry }) => stepOf(startMs, countsOf(telemetry))),
    tenants: tenantsOf(all.feedbackTenants, all.feedbackCorrectTenants),
  };
}

/**
 * The same of one tenant's own feedback, by UTC day. `tenant-unknown` too. A model that its plan does not include is unknown unless it gave feedback of it,
 * as of a variant.
 */
export async function readTenantFeedback(
  ports: Pick<Platform, 'registry' | 'feedbacks'>,
  tenant: string,
  asked: FeedbackAsked,
): Promise<ReadFeedback> {
  const { model, untilMs } = asked;
  const isOffered = await isOfferedTo(ports, await readTenant(ports, tenant), model);
  const unknown = () => new Failure('model-unknown', { field: 'model' });
  const fromMs = Math.floor(asked.fromMs / DAY_MS) * DAY_MS;
  const version = await versionOf(ports, asked).catch((error: unknown) => {
    throw isOffered ? error : unknown();
  });
  const days = await ports.feedbacks.tallies(tenant, { model, version, fromMs, untilMs });
  if (days.length === 0 && !isOffered) throw unknown();
  const all = new FeedbackTally();
  for (const { tally } of days) all.merge(tally);
  return {
    ...reportOf(all),
    version,
    agreement: undefined,
    steps: days.flatMap(({ dayMs, tally }) => stepOf(dayMs, tally)),
    tenants: all.count === 0 ? [] : [{ tenant, count: all.count, accuracy: accuracyOf(all) }],
  };
}

async function isOfferedTo(
  { registry }: Pick<Platform, 'registry'>,
  { plan, overrides }: Tenant,
  model: string,
): Promise<boolean> {
  const models = overrides.models ?? (await registry.readPlan(plan))?.limits.models ?? [];
  return models.includes('*') || models.includes(model);
}

async function versionOf({ registry }: Pick<Platform, 'registry'>, { model, version }: FeedbackAsked): Promise<string> {
  const route = await registry.readRoute(model);
  if (route === undefined) throw new Failure('model-unknown', { field: 'model' });
  const found = version ?? route.stable;
  if (found === undefined || (await registry.readVersion(model, found)) === undefined)
    throw new Failure('version-unknown', { field: 'version' });
  return found;
}

function countsOf({ feedback, feedbackCorrect, confusion, calibration }: Telemetry): FeedbackCounts {
  return { count: feedback, correct: feedbackCorrect, confusion, calibration };
}

function stepOf(atMs: number, counts: FeedbackCounts): FeedbackStep[] {
  if (counts.count === 0) return [];
  const { count, confusion } = counts;
  return [{ atMs, count, accuracy: accuracyOf(counts), macroF1: macroF1(classesOf(confusion)) }];
}

function tenantsOf(counts: LabelCounts, correct: LabelCounts): readonly TenantAccuracy[] {
  return counts
    .top(MOST_TENANTS)
    .top.map(([tenant, count]) => ({ tenant, count, accuracy: accuracyOf({ count, correct: correct.get(tenant) }) }));
}
