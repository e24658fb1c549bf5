import type { z } from 'zod';
import type { Budget, BudgetState } from '../cost/budget.ts';
import type { Orphans } from '../cost/find-orphans.ts';
import { usdOf } from './cost-json.ts';
import type { budgetJson, budgetPutBody, orphansJson } from './cost-schemas.ts';

export function budgetToJson(state: BudgetState): z.input<typeof budgetJson> {
  const { budget, reached } = state;
  return {
    scope: budget.scope,
    usd_per_day: budget.usdPerDay ?? null,
    usd_per_month: budget.usdPerMonth ?? null,
    alarm_at: budget.alarmAt,
    epoch: budget.epoch,
    spent_day_usd: state.spentDayUsd,
    spent_month_usd: budget.usdPerMonth === undefined ? null : state.spentMonthUsd,
    spent_share: state.share,
    reached: reached ?? null,
    state: reached === undefined ? 'ok' : 'alarm',
  };
}

export function budgetFromJson(body: z.output<typeof budgetPutBody>): Omit<Budget, 'epoch'> {
  const { scope, usd_per_day: usdPerDay, usd_per_month: usdPerMonth, alarm_at: alarmAt } = body;
  return {
    scope,
    ...(usdPerDay !== undefined && { usdPerDay }),
    ...(usdPerMonth !== undefined && { usdPerMonth }),
    alarmAt,
  };
}

export function orphansToJson({ orphans, hasMore }: Orphans, days: number, nowMs: number): z.input<typeof orphansJson> {
  const timeOf = (ms: number) => new Date(ms).toISOString();
  return {
    at: timeOf(nowMs),
    days,
    items: orphans.map((orphan) => {
      if (orphan.kind === 'pool') return { kind: 'pool', pool: orphan.pool, cost_usd: usdOf(orphan.nanoUsd) };
      const { kind, model, version, pushedAtMs } = orphan;
      return { kind, model, version, pushed_at: timeOf(pushedAtMs) };
    }),
    has_more: hasMore,
  };
}
