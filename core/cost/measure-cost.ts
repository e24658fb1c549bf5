import type { Measure } from '../operations/metric.ts';
import type { Platform } from '../ports/platform.ts';
import { type BudgetState, readScope } from './budget.ts';
import { dayOf } from './meter-days.ts';
import { NANO_USD, type PricedDay, priceDay } from './price-day.ts';
import { BudgetReader } from './read-budgets.ts';
import { sumTenants } from './sum-tenants.ts';

/** Budgets of which metrics are made: first those that are to be told of, then those nearest to their end. */
const MOST_BUDGETS = 50;

type CostHost = Pick<Platform, 'budgets' | 'meters' | 'clock' | 'log'>;

/** A source of measures for one region, to be asked once a minute, which adds up by tenant what is over: what the UTC day has cost, how much of that was idle in each pool, and how much of budgets is spent. */
export function createCostSource(host: CostHost): (host: CostHost, nowMs: number) => Promise<readonly Measure[]> {
  const budgets = new BudgetReader(host);
  return async (_, nowMs) => {
    // Sums that are late make reads dearer, and no number wrong.
    await sumTenants(host, nowMs).catch((error: unknown) => host.log.error('a day not added up by tenant', error));
    const priced = priceDay(await host.meters.read(dayOf(nowMs)));
    return [...measureDay(priced), ...measureBudgets(await budgets.read(nowMs))];
  };
}

function measureDay({ workers }: PricedDay): readonly Measure[] {
  const pools = new Map<string, { nanoUsd: number; idleNanoUsd: number }>();
  for (const { pool, nanoUsd, idleNanoUsd } of workers) {
    const sum = pools.get(pool) ?? { nanoUsd: 0, idleNanoUsd: 0 };
    pools.set(pool, { nanoUsd: sum.nanoUsd + nanoUsd, idleNanoUsd: sum.idleNanoUsd + idleNanoUsd });
  }
  const total = workers.reduce((sum, { nanoUsd }) => sum + nanoUsd, 0);
  const measures: Measure[] = [{ metric: 'cost_today_usd', of: {}, value: total * NANO_USD }];
  for (const [pool, { nanoUsd, idleNanoUsd }] of pools) {
    measures.push({ metric: 'cost_today_usd', of: { pool }, value: nanoUsd * NANO_USD });
    if (nanoUsd > 0) measures.push({ metric: 'idle_share', of: { pool }, value: idleNanoUsd / nanoUsd });
  }
  return measures;
}

function measureBudgets(states: readonly BudgetState[]): readonly Measure[] {
  const isAlarming = ({ reached }: BudgetState) => (reached === undefined ? 0 : 1);
  const nearest = states.toSorted((a, b) => isAlarming(b) - isAlarming(a) || b.share - a.share).slice(0, MOST_BUDGETS);
  return nearest.flatMap((state): readonly Measure[] => {
    const scope = readScope(state.budget.scope)!;
    const of = scope.kind === 'region' ? {} : { [scope.kind]: scope.id };
    return [
      { metric: 'budget_spent_share', of, value: state.share },
      { metric: 'budget_alarming', of, value: isAlarming(state) },
    ];
  });
}
