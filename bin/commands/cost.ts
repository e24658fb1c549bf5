import { type Command, InvalidArgumentError, Option } from 'commander';
import type { z } from 'zod';
import type { budgetJson, costJson, orphansJson, tenantCostJson } from '../../core/api/cost-schemas.ts';
import { request } from '../client.ts';
import { budgetCells, orphanCells, renderCost, renderTenantCost } from '../cost-report.ts';
import { connect, type RemoteOptions, remote } from '../options.ts';
import { printResult } from '../output.ts';

type Budget = z.output<typeof budgetJson>;
type Orphans = z.output<typeof orphansJson>;

const BUDGETS = '/control/v1/budgets';
const BUDGET_HEAD = ['budget', 'today', 'this month', 'spent', 'alarms at', 'state'];

export function addCostCommands(program: Command): void {
  remote(program.command('cost').description('what workers cost, who used them, and what was idle'))
    .addOption(
      new Option('--by <what>', 'a line for each')
        .choices(['day', 'tenant', 'model', 'version', 'pool'])
        .default('day'),
    )
    .option('--from <day>', 'first UTC day, as 2026-11-01 (default: 30 days ago)')
    .option('--until <day>', 'the UTC day after the last (default: with today)')
    .option('--tenant <id>', 'of one tenant alone, by day or model')
    .option('--limit <n>', 'lines; what is beyond is added up', '100')
    .action(cost);
  const budget = program
    .command('budget')
    .description('what may be spent: beyond it somebody is told, nothing is refused');
  remote(budget.command('list').description('budgets and how much of each is spent')).action(listBudgets);
  remote(budget.command('set <scope>').description('set a budget of region, tenant:<id> or model:<name>'))
    .option('--day <usd>', 'US dollars each UTC day', amount)
    .option('--month <usd>', 'US dollars each UTC month', amount)
    .option('--alarm-at <shares>', 'shares at which it is told, such as 0.8,1', shares)
    .action(setBudget);
  remote(budget.command('remove <scope>').description('remove a budget')).action(removeBudget);
  remote(program.command('orphans').description('models and versions that nobody calls, pools that run nothing'))
    .option('--days <n>', 'for so many days', '30')
    .action(orphans);
}

type CostOptions = RemoteOptions & {
  readonly by: string;
  readonly from?: string;
  readonly until?: string;
  readonly tenant?: string;
  readonly limit: string;
};

async function cost(options: CostOptions): Promise<void> {
  const { by, from, until, tenant, limit } = options;
  const query = new URLSearchParams({ by, limit, ...(from && { from }), ...(until && { until }) });
  const connection = await connect(options);
  if (tenant === undefined) {
    const found = await request<z.output<typeof costJson>>(connection, 'GET', `/control/v1/cost?${query}`);
    console.log(options.json ? JSON.stringify(found, null, 2) : renderCost(found));
    return;
  }
  const path = `/control/v1/tenants/${encodeURIComponent(tenant)}/cost?${query}`;
  const found = await request<z.output<typeof tenantCostJson>>(connection, 'GET', path);
  console.log(options.json ? JSON.stringify(found, null, 2) : renderTenantCost(found));
}

async function listBudgets(options: RemoteOptions): Promise<void> {
  const { items } = await request<{ readonly items: readonly Budget[] }>(await connect(options), 'GET', BUDGETS);
  printResult(options, items, BUDGET_HEAD, budgetCells);
}

type BudgetOptions = RemoteOptions & {
  readonly day?: number;
  readonly month?: number;
  readonly alarmAt?: readonly number[];
};

async function setBudget(scope: string, options: BudgetOptions): Promise<void> {
  const body = { scope, usd_per_day: options.day, usd_per_month: options.month, alarm_at: options.alarmAt };
  const budget = await request<Budget>(await connect(options), 'PUT', BUDGETS, body);
  printResult(options, [budget], BUDGET_HEAD, budgetCells);
}

async function removeBudget(scope: string, options: RemoteOptions): Promise<void> {
  await request(await connect(options), 'DELETE', `${BUDGETS}?scope=${encodeURIComponent(scope)}`);
  console.log(`removed the budget of ${scope}`);
}

async function orphans(options: RemoteOptions & { readonly days: string }): Promise<void> {
  const path = `/control/v1/orphans?days=${encodeURIComponent(options.days)}`;
  const { items, days, has_more } = await request<Orphans>(await connect(options), 'GET', path);
  printResult(options, items, ['what', 'name', 'why'], (orphan) => orphanCells(orphan, days));
  if (has_more && !options.json) console.log('and more');
}

function amount(text: string): number {
  const usd = Number(text);
  if (!(usd > 0)) throw new InvalidArgumentError('an amount in US dollars, such as 25');
  return usd;
}

function shares(text: string): readonly number[] {
  const all = text.split(',').map(Number);
  if (!all.every((share) => share > 0)) throw new InvalidArgumentError('shares with a comma between, such as 0.8,1');
  return all;
}
