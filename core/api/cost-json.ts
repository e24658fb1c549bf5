import type { z } from 'zod';
import type { CacheHits } from '../cost/cache-hits.ts';
import { NANO_USD } from '../cost/price-day.ts';
import type { Days } from '../cost/read-cost.ts';
import type { CostBy, CostLine, CostSum, Spent } from '../cost/sum-cost.ts';
import { sumSpent } from '../cost/sum-cost.ts';
import { DAY_MS, HOUR_MS, SECOND_MS } from '../units.ts';
import type { costJson, tenantCostJson } from './cost-schemas.ts';

type CostJson = z.input<typeof costJson>;
type TenantCostJson = z.input<typeof tenantCostJson>;

export function costToJson(sum: CostSum, days: Days, by: CostBy, hits?: CacheHits): CostJson {
  return {
    ...spanToJson(days, by),
    total_usd: usdOf(sum.nanoUsd),
    idle_usd: usdOf(sum.idleNanoUsd),
    idle_share: sum.nanoUsd === 0 ? 0 : sum.idleNanoUsd / sum.nanoUsd,
    gpu_idle_share: sum.gpuIdleShare ?? null,
    items: sum.lines.map((line) => ({ ...itemToJson(line, by), ...(hits && hitsOf(line, hits)) })),
    rest: sum.rest === undefined ? null : spentToJson(sum.rest),
  };
}

export function tenantCostToJson(tenant: string, sum: CostSum, days: Days, by: CostBy): TenantCostJson {
  const all = sumSpent([...sum.lines.map(({ spent }) => spent), ...(sum.rest === undefined ? [] : [sum.rest])]);
  return {
    tenant,
    ...spanToJson(days, by),
    total_usd: usdOf(all.nanoUsd),
    items: sum.lines.map(({ key: { day, model }, spent }) => ({
      ...(day !== undefined && { day }),
      ...(model !== undefined && { model }),
      ...spentToJson(spent),
    })),
    rest: sum.rest === undefined ? null : spentToJson(sum.rest),
  };
}

/** Dollars, to the billionth. */
export function usdOf(nanoUsd: number): number {
  return Number((nanoUsd * NANO_USD).toFixed(9));
}

function spanToJson({ from, until }: Days, by: CostBy) {
  const timeOf = (day: number) => new Date(day * DAY_MS).toISOString();
  return { from: timeOf(from), until: timeOf(until), by, currency: 'USD' } as const;
}

function itemToJson({ key, spent, idle }: CostLine, by: CostBy): CostJson['items'][number] {
  const { day, tenant, model, version, pool } = key;
  return {
    ...(day !== undefined && { day }),
    ...(by === 'tenant' && { tenant: tenant ?? null }),
    ...(model !== undefined && { model }),
    ...(version !== undefined && { version }),
    ...(pool !== undefined && { pool }),
    ...spentToJson(spent),
    ...(idle !== undefined && {
      idle_usd: usdOf(idle.idleNanoUsd),
      idle_share: idle.nanoUsd === 0 ? 0 : idle.idleNanoUsd / idle.nanoUsd,
      worker_hours: idle.upMs / HOUR_MS,
      gpu: idle.gpu,
      instances: [...idle.kinds],
    }),
  };
}

function hitsOf({ key }: CostLine, hits: CacheHits): { readonly cache_hits: number } {
  const own = hits.filter((hit) => hit.model === key.model && (key.version ?? hit.version) === hit.version);
  return { cache_hits: own.reduce((sum, hit) => sum + hit.hits, 0) };
}

function spentToJson({ nanoUsd, computeMs, rows, requests }: Spent) {
  return {
    cost_usd: usdOf(nanoUsd),
    compute_s: computeMs / SECOND_MS,
    rows,
    requests,
    usd_per_thousand: rows === 0 ? null : usdOf((nanoUsd / rows) * 1000),
  };
}
