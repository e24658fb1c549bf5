import type { z } from 'zod';
import type { budgetJson, costJson, orphansJson, tenantCostJson } from '../core/api/cost-schemas.ts';
import { renderTable } from './table.ts';

type Cost = z.output<typeof costJson>;
type TenantCost = z.output<typeof tenantCostJson>;
type Item = Cost['items'][number] | TenantCost['items'][number];
type Spent = NonNullable<Cost['rest']>;
type Cells = readonly string[];

const HEAD = ['cost', 'per 1,000', 'compute s', 'predictions', 'requests'];

/** What was used, line by line, then what was idle and the sum: the bill. */
export function renderCost(cost: Cost): string {
  const idle = cost.items.some(({ idle_usd }) => idle_usd !== undefined);
  const hits = cost.items.some(({ cache_hits }) => cache_hits !== undefined);
  const head = [
    ...keyHead(cost.by),
    ...HEAD,
    ...(hits ? ['from cache'] : []),
    ...(idle ? ['idle', 'idle %', 'on'] : []),
  ];
  const rows = cost.items.map((item) => [
    ...keyCells(cost.by, item),
    ...spentCells(item),
    ...(hits ? [count(item.cache_hits ?? 0)] : []),
    ...(idle ? [usd(item.idle_usd ?? 0), percent(item.idle_share ?? 0), (item.instances ?? []).join(', ')] : []),
  ]);
  const blank = Array<string>(head.length).fill('');
  const line = (name: string, cells: Cells) =>
    [name, ...blank.slice(1, keyHead(cost.by).length), ...cells, ...blank].slice(0, head.length);
  if (cost.rest !== null) rows.push(line('others', spentCells(cost.rest)));
  rows.push(line('idle', [usd(cost.idle_usd), '', '', '', '']), line('total', [usd(cost.total_usd), '', '', '', '']));
  const gpu = cost.gpu_idle_share === null ? '' : `, of GPU workers ${percent(cost.gpu_idle_share)}`;
  return `${renderTable(head, rows)}\n${days(cost)}: ${usd(cost.total_usd)}, idle ${percent(cost.idle_share)}${gpu}`;
}

export function renderTenantCost(cost: TenantCost): string {
  const rows = cost.items.map((item) => [...keyCells(cost.by, item), ...spentCells(item)]);
  if (cost.rest !== null) rows.push(['others', ...spentCells(cost.rest)]);
  rows.push(['total', usd(cost.total_usd), '', '', '', '']);
  return `${renderTable([...keyHead(cost.by), ...HEAD], rows)}\n${cost.tenant}, ${days(cost)}`;
}

export function budgetCells(budget: z.output<typeof budgetJson>): Cells {
  const of = (spent: number | null, most: number | null) =>
    most === null ? '-' : `${usd(spent ?? 0)} of ${usd(most)}`;
  return [
    budget.scope,
    of(budget.spent_day_usd, budget.usd_per_day),
    of(budget.spent_month_usd, budget.usd_per_month),
    percent(budget.spent_share),
    budget.alarm_at.map(percent).join(', '),
    budget.state,
  ];
}

export function orphanCells(orphan: z.output<typeof orphansJson>['items'][number], days: number): Cells {
  if (orphan.kind === 'pool')
    return ['pool', orphan.pool, `nothing ran for ${days} days, which cost ${usd(orphan.cost_usd)}`];
  const pushed = `pushed ${orphan.pushed_at.slice(0, 10)}`;
  if (orphan.kind === 'model') return ['model', orphan.model, `nobody called it for ${days} days, ${pushed}`];
  return ['version', `${orphan.model} ${orphan.version}`, `neither stable, released nor called, ${pushed}`];
}

/** Cents of what is worth cents, three digits of what is less. */
export function usd(amount: number): string {
  const isCents = Math.abs(amount) >= 0.1 || amount === 0;
  const digits = isCents ? { maximumFractionDigits: 2 } : { maximumSignificantDigits: 3 };
  return amount.toLocaleString('en-US', { style: 'currency', currency: 'USD', ...digits });
}

function keyHead(by: Cost['by']): Cells {
  return by === 'version' ? ['model', 'version'] : [by];
}

function keyCells(by: Cost['by'], item: Item): Cells {
  const { day, tenant, model = '', version = '', pool = '' } = item as Cost['items'][number];
  const keys = { day: day ?? '', tenant: tenant ?? '(platform)', model, pool };
  return by === 'version' ? [model, version] : [keys[by]];
}

function spentCells({ cost_usd, usd_per_thousand, compute_s, rows, requests }: Spent): Cells {
  return [
    usd(cost_usd),
    usd_per_thousand === null ? '-' : usd(usd_per_thousand),
    compute_s.toFixed(1),
    count(rows),
    count(requests),
  ];
}

function count(number: number): string {
  return number.toLocaleString('en-US');
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}

/** From the first to the last day. */
function days({ from, until }: Pick<Cost, 'from' | 'until'>): string {
  return `${from.slice(0, 10)} to ${new Date(Date.parse(until) - 1).toISOString().slice(0, 10)}`;
}
