import { z } from 'zod';
import { MODEL_NAME } from '../models/manifest.ts';
import { TENANT_ID } from '../tenancy/tenant.ts';
import { monthStart } from './meter-days.ts';
import type { PricedUse, PricedWorker } from './price-day.ts';

/** What a budget is for: `region`, `tenant:acme`, `model:ticket-sentiment`. */
export const budgetScopeSchema = z.string().refine((scope) => readScope(scope) !== undefined, {
  error: 'region, tenant:<id> or model:<name>',
});

const usd = z.number().positive().max(1_000_000_000);
const share = z.number().positive().max(10);

/** At what shares of a budget it is told, in order. */
export const alarmSharesSchema = z
  .array(share)
  .min(1)
  .max(10)
  .refine((shares) => shares.every((each, at) => at === 0 || each > shares[at - 1]!), 'ascending shares');

export const budgetSchema = z
  .strictObject({
    scope: budgetScopeSchema,
    usdPerDay: usd.optional(),
    usdPerMonth: usd.optional(),
    alarmAt: alarmSharesSchema,
    epoch: z.int().min(1),
  })
  .refine(({ usdPerDay, usdPerMonth }) => usdPerDay !== undefined || usdPerMonth !== undefined, {
    error: 'an amount a day, a month or both',
  });

/** What may be spent in each UTC day, each UTC month or both. Nothing is refused beyond it: somebody is told. */
export type Budget = z.infer<typeof budgetSchema>;

export type BudgetScope =
  | { readonly kind: 'region' }
  | { readonly kind: 'tenant'; readonly id: string }
  | { readonly kind: 'model'; readonly id: string };

/** undefined: a text that is no scope. */
export function readScope(text: string): BudgetScope | undefined {
  if (text === 'region') return { kind: 'region' };
  const [kind, id] = text.split(':', 2) as [string, string | undefined];
  if (id === undefined || text !== `${kind}:${id}`) return undefined;
  if (kind === 'tenant' && TENANT_ID.test(id)) return { kind, id };
  if (kind === 'model' && MODEL_NAME.test(id)) return { kind, id };
  return undefined;
}

/** Billionths of a dollar of one day that count for a scope: of a region what its workers cost, used or idle; else what was used. */
export function spentOf(
  scope: BudgetScope,
  { uses, workers }: { readonly uses: readonly PricedUse[]; readonly workers: readonly PricedWorker[] },
): number {
  if (scope.kind === 'region') return workers.reduce((sum, { nanoUsd }) => sum + nanoUsd, 0);
  return uses.reduce((sum, use) => (use[scope.kind] === scope.id ? sum + use.nanoUsd : sum), 0);
}

export type BudgetState = {
  readonly budget: Budget;
  readonly spentDayUsd: number;
  readonly spentMonthUsd: number;
  /** Of the period that is nearer to its end; more than 1: over it. */
  readonly share: number;
  /** The highest of `alarmAt` that is reached. */
  readonly reached: number | undefined;
};

export function stateOf(budget: Budget, spentDayUsd: number, spentMonthUsd: number): BudgetState {
  const shares = [
    budget.usdPerDay === undefined ? 0 : spentDayUsd / budget.usdPerDay,
    budget.usdPerMonth === undefined ? 0 : spentMonthUsd / budget.usdPerMonth,
  ];
  const share = Math.max(...shares);
  return { budget, spentDayUsd, spentMonthUsd, share, reached: budget.alarmAt.findLast((each) => share >= each) };
}

/** From the first day of the month that a budget counts from; of a budget a day, that day. */
export function firstDayOf({ usdPerMonth }: Pick<Budget, 'usdPerMonth'>, today: number): number {
  return usdPerMonth === undefined ? today : monthStart(today);
}
