import { MINUTE_MS, SECOND_MS } from '../../../core/units.ts';
import type { Exchange, Exchanges } from './exchanges.ts';
import { SHARED_TENANTS } from './memory.ts';
import type { RegionUnderTest } from './region-under-test.ts';
import type { Findings } from './verdict.ts';

/** Clocks of two processes that read the same wall clock differ by this at the most. */
const CLOCK_MS = 5;
/** core/tenancy/quota.ts: rows may come at once up to this, for a plan of few. */
const ROW_BURST = 256;

type Grant = { readonly units: number; readonly fromMs: number; readonly toMs: number };
type Policy = { readonly perMs: number; readonly burst: number };

/** No crash gives anything back: grants of all processes together are within the limit of every window. */
export async function checkLimits(
  region: RegionUnderTest,
  exchanges: Exchanges,
  findings: Findings,
  patienceMs: number,
): Promise<void> {
  for (const tenant of ['meter', 'busy']) {
    const limits = SHARED_TENANTS[tenant]!;
    const policy = { perMs: limits.requestsPerSecond! / SECOND_MS, burst: limits.requestBurst! };
    const grants = exchanges.of('take').filter(({ op }) => op.tenant === tenant);
    checkWindows(`requests of ${tenant}`, grants.flatMap(grantOf), policy, findings);
  }
  const rows = exchanges.of('infer').filter(({ op }) => op.tenant === 'rower');
  const rowPolicy = { perMs: SHARED_TENANTS.rower!.rowsPerMinute! / MINUTE_MS, burst: ROW_BURST };
  checkWindows('rows of rower', rows.flatMap(rowsOf), rowPolicy, findings);
  await checkCompute(region, exchanges, findings, patienceMs);
}

function checkWindows(name: string, grants: readonly Grant[], { perMs, burst }: Policy, findings: Findings): void {
  for (const { fromMs } of grants) {
    for (const { toMs } of grants) {
      if (toMs < fromMs) continue;
      const inside = grants.filter((grant) => grant.fromMs >= fromMs && grant.toMs <= toMs);
      const units = inside.reduce((sum, grant) => sum + grant.units, 0);
      const most = burst + perMs * (toMs - fromMs + CLOCK_MS);
      if (units > most) {
        const window = `${units} within ${(toMs - fromMs).toFixed(0)} ms, at the most ${most.toFixed(1)}`;
        findings.report('quota-given-back', `${name}: ${window}`);
        return;
      }
    }
  }
  findings.count(
    'units granted',
    grants.reduce((sum, { units }) => sum + units, 0),
  );
}

/** What was told to have been computed is charged, and is never more than the day allows. */
async function checkCompute(
  region: RegionUnderTest,
  exchanges: Exchanges,
  findings: Findings,
  patienceMs: number,
): Promise<void> {
  const spent = new Map<string, Map<string, number>>();
  for (const { op, told } of exchanges.of('infer', 'read')) {
    if (told?.is !== 'answered') continue;
    const jobs = spent.get(op.tenant) ?? new Map<string, number>();
    spent.set(op.tenant, jobs.set(told.job, told.computeMs));
  }
  for (const [tenant, jobs] of spent) {
    if (exchanges.of('remove-tenant').some(({ op }) => op.tenant === tenant)) continue;
    // Places of jobs that were erased stay taken until they would have ended.
    const isErased = exchanges.erasedAfter(tenant, -1) !== 'no';
    const usage = await settled(region, tenant, isErased ? 0 : patienceMs);
    const told = [...jobs.values()].reduce((sum, computeMs) => sum + computeMs, 0);
    const most = SHARED_TENANTS[tenant]?.dailyComputeMs ?? Number.POSITIVE_INFINITY;
    // Whoever kills a runner is charged for more than was reserved, so that alone may be beyond the day's.
    if (usage.computeMs < told || told > most) {
      findings.report(
        'quota-given-back',
        `compute of ${tenant}: ${usage.computeMs} charged, ${told} told, ${most} a day`,
      );
    }
    if (usage.inFlight > 0 && !isErased)
      findings.report('left-behind', `${usage.inFlight} places in flight of ${tenant}`);
  }
}

/** What a tenant has used once nothing of it runs any more: an outcome may be told before its place is free. */
async function settled({ platform: { limits, clock } }: RegionUnderTest, tenant: string, patienceMs: number) {
  const untilMs = performance.now() + patienceMs;
  for (;;) {
    const usage = await limits.usage(tenant, clock.nowMs());
    if (usage.inFlight === 0 || performance.now() >= untilMs) return usage;
    await clock.sleep(50);
  }
}

function grantOf({ told, askedMs, answeredMs }: Exchange): Grant[] {
  return told?.is === 'granted' ? [{ units: told.units, fromMs: askedMs, toMs: answeredMs! }] : [];
}

/** Rows of a job that this call was the first to be told of. */
function rowsOf({ op, told, askedMs, answeredMs }: Exchange<'infer'>): Grant[] {
  const isNew = told?.is === 'accepted' || (told?.is === 'answered' && !told.replayed);
  return isNew ? [{ units: op.rows, fromMs: askedMs, toMs: answeredMs! }] : [];
}
