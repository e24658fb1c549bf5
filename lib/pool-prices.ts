import type { PoolConfig } from './config-pools.ts';

/** A configuration's price list: US dollars an hour. */
type Prices = Readonly<Record<string, { readonly onDemand: number; readonly spot?: number | undefined }>>;
type Purchase = 'on-demand' | 'spot' | 'mixed';
type Priced = {
  readonly config: { readonly prices: Prices; readonly usdPerComputeHour?: number | undefined };
  readonly settings: { readonly prices: Prices; readonly pools: Readonly<Record<string, PoolConfig>> };
};

/** What a pool's tasks may run on, as the price list names it: instances, or `fargate-arm64-4x8` for 4 vCPU and 8 GiB of Fargate. */
export function instanceTypesOf(pool: PoolConfig): readonly string[] {
  if (pool.kind === 'gpu') return pool.instanceTypes;
  return [`fargate-${pool.architecture}-${pool.vcpu}x${pool.memoryMib / 1024}`];
}

/** What a task of a pool knows of itself without asking its instance: `mixed` where Spot and On-Demand are both possible. */
export function boughtBy(pool: PoolConfig): { readonly instanceType: string; readonly purchase: Purchase } {
  const base = pool.kind === 'gpu' ? pool.onDemandBase : pool.minTasks;
  const isSpot = pool.spotPercent === 100 && base === 0;
  const purchase = pool.spotPercent === 0 ? 'on-demand' : isSpot ? 'spot' : 'mixed';
  return { instanceType: instanceTypesOf(pool)[0]!, purchase };
}

/** The part of the price list that a pool's tasks need, `mixed` weighted by the pool's share of Spot. */
export function pricesOf(
  { config, settings }: Priced,
  pool: PoolConfig,
): Readonly<Record<string, Readonly<Record<Purchase, number>>>> {
  const prices = { ...config.prices, ...settings.prices };
  const listed = instanceTypesOf(pool).flatMap((type) => {
    const price = prices[type];
    if (price === undefined) return [];
    const { onDemand, spot = onDemand } = price;
    const share = pool.spotPercent / 100;
    return [[type, { 'on-demand': onDemand, spot, mixed: onDemand * (1 - share) + spot * share }]] as const;
  });
  return Object.fromEntries(listed);
}

/** What an hour of one runner costs where nothing else is told: as configured, else of the default pool's first instance type, On-Demand. */
export function usdPerRunnerHour({ config, settings }: Priced): number {
  if (config.usdPerComputeHour !== undefined) return config.usdPerComputeHour;
  const pool = settings.pools.default!;
  const price = { ...config.prices, ...settings.prices }[instanceTypesOf(pool)[0]!]!;
  return price.onDemand / pool.runners;
}
