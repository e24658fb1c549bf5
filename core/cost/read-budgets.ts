import type { Platform } from '../ports/platform.ts';
import { DAY_MS } from '../units.ts';
import { type Budget, type BudgetState, firstDayOf, readScope, spentOf, stateOf } from './budget.ts';
import { dayOf, monthStart } from './meter-days.ts';
import { NANO_USD } from './price-day.ts';
import { eachDay } from './read-cost.ts';
import { SETTLED_AFTER_MS } from './sum-tenants.ts';

/**
 * What of each budget is spent. Days that are over are read once and remembered by scope as long as this lives, so that asking each minute reads
 * but the day that it is: a number a day and budget.
 */
export class BudgetReader {
  readonly #ports: Pick<Platform, 'budgets' | 'meters' | 'clock'>;
  /** By day, then scope: billionths of a dollar. */
  readonly #settled = new Map<number, Map<string, number>>();

  constructor(ports: Pick<Platform, 'budgets' | 'meters' | 'clock'>) {
    this.#ports = ports;
  }

  async read(nowMs: number): Promise<readonly BudgetState[]> {
    return this.#read(await this.#ports.budgets.list(), nowMs);
  }

  /** Of a budget as it was just set. */
  async readOne(budget: Budget, nowMs: number): Promise<BudgetState> {
    return (await this.#read([budget], nowMs))[0]!;
  }

  async #read(budgets: readonly Budget[], nowMs: number): Promise<readonly BudgetState[]> {
    if (budgets.length === 0) return [];
    const today = dayOf(nowMs);
    const first = Math.min(...budgets.map((budget) => firstDayOf(budget, today)));
    for (const day of this.#settled.keys()) if (day < monthStart(today)) this.#settled.delete(day);
    const spent = new Map<number, ReadonlyMap<string, number>>();
    for (let day = first; day <= today; day += 1) spent.set(day, await this.#spentOn(day, budgets, nowMs));
    return budgets.map((budget) => {
      const usdOn = (day: number) => (spent.get(day)?.get(budget.scope) ?? 0) * NANO_USD;
      let month = 0;
      for (let day = firstDayOf(budget, today); day <= today; day += 1) month += usdOn(day);
      return stateOf(budget, usdOn(today), month);
    });
  }

  async #spentOn(day: number, budgets: readonly Budget[], nowMs: number): Promise<ReadonlyMap<string, number>> {
    const known = this.#settled.get(day);
    if (known !== undefined && budgets.every(({ scope }) => known.has(scope))) return known;
    const spent = new Map<string, number>(budgets.map(({ scope }) => [scope, 0]));
    await eachDay(this.#ports, { from: day, until: day + 1 }, (priced) => {
      for (const { scope } of budgets) spent.set(scope, spentOf(readScope(scope)!, priced));
    });
    if (nowMs >= (day + 1) * DAY_MS + SETTLED_AFTER_MS) this.#settled.set(day, new Map([...(known ?? []), ...spent]));
    return spent;
  }
}
