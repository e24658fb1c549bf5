import { expect, test } from 'vitest';
import type { z } from 'zod';
import { budgetCells, orphanCells, renderCost, renderTenantCost, usd } from '../../bin/cost-report.ts';
import type { costJson } from '../../core/api/cost-schemas.ts';

const spent = { cost_usd: 1.25, compute_s: 4500, rows: 2_000_000, requests: 1_500_000, usd_per_thousand: 0.000625 };
const cost: z.output<typeof costJson> = {
  from: '2026-11-01T00:00:00.000Z',
  until: '2026-12-01T00:00:00.000Z',
  by: 'tenant',
  currency: 'USD',
  total_usd: 10,
  idle_usd: 8,
  idle_share: 0.8,
  gpu_idle_share: null,
  items: [
    { tenant: 'acme', ...spent },
    { tenant: null, ...spent, cost_usd: 0.5, rows: 0, usd_per_thousand: null },
  ],
  rest: { ...spent, cost_usd: 0.25 },
};

/** Cells of each line of a table. */
function cellsOf(text: string): string[][] {
  const lines = text.split('\n').filter((line) => line.includes('│') && !line.includes('─'));
  return lines.map((line) =>
    line
      .split('│')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

test('a bill is lines, others, idle and the sum', () => {
  const text = renderCost(cost);
  expect(cellsOf(text).slice(1)).toEqual([
    ['acme', '$1.25', '$0.000625', '4500.0', '2,000,000', '1,500,000'],
    ['(platform)', '$0.50', '-', '4500.0', '0', '1,500,000'],
    ['others', '$0.25', '$0.000625', '4500.0', '2,000,000', '1,500,000'],
    ['idle', '$8.00', '', '', '', ''],
    ['total', '$10.00', '', '', '', ''],
  ]);
  expect(text.split('\n').at(-1)).toBe('2026-11-01 to 2026-11-30: $10.00, idle 80 %');
});

test('pools say what was idle of each and on what they ran, versions what the cache answered', () => {
  const pool = {
    pool: 'gpu',
    ...spent,
    idle_usd: 3,
    idle_share: 0.75,
    worker_hours: 4,
    gpu: true,
    instances: ['g5.xlarge spot'],
  };
  const byPool = renderCost({ ...cost, by: 'pool', items: [pool], rest: null, gpu_idle_share: 0.75 });
  expect(cellsOf(byPool)[1]!.slice(-3)).toEqual(['$3.00', '75 %', 'g5.xlarge spot']);
  expect(byPool).toContain('of GPU workers 75 %');
  const version = { model: 'm', version: '3', ...spent, cache_hits: 1234 };
  const byVersion = renderCost({ ...cost, by: 'version', items: [version], rest: null });
  expect(cellsOf(byVersion)[1]).toEqual(['m', '3', '$1.25', '$0.000625', '4500.0', '2,000,000', '1,500,000', '1,234']);
  expect(cellsOf(byVersion).at(-1)!.slice(0, 3)).toEqual(['total', '', '$10.00']);
});

test('a tenant is told its own sum alone', () => {
  const { idle_usd: _, idle_share: __, gpu_idle_share: ___, ...shared } = cost;
  const items = [{ day: '2026-11-03', ...spent }];
  const text = renderTenantCost({ ...shared, tenant: 'acme', by: 'day', total_usd: 1.25, items, rest: null });
  expect(
    cellsOf(text)
      .slice(1)
      .map(([first, second]) => [first, second]),
  ).toEqual([
    ['2026-11-03', '$1.25'],
    ['total', '$1.25'],
  ]);
  expect(text).not.toContain('idle');
});

test('budgets and orphans in words', () => {
  const budget = {
    ...{ scope: 'tenant:acme', usd_per_day: null, usd_per_month: 20, alarm_at: [0.8, 1], epoch: 1 },
    ...{ spent_day_usd: 1, spent_month_usd: 19, spent_share: 0.95, reached: 0.8, state: 'alarm' as const },
  };
  expect(budgetCells(budget)).toEqual(['tenant:acme', '-', '$19.00 of $20.00', '95 %', '80 %, 100 %', 'alarm']);
  expect(orphanCells({ kind: 'pool', pool: 'gpu', cost_usd: 0.0123 }, 30)).toEqual([
    ...['pool', 'gpu', 'nothing ran for 30 days, which cost $0.0123'],
  ]);
  const pushed = { model: 'm', version: '2', pushed_at: '2026-01-02T03:04:05.000Z' };
  expect(orphanCells({ kind: 'version', ...pushed }, 30)[1]).toBe('m 2');
  expect(orphanCells({ kind: 'model', ...pushed }, 30)[2]).toBe('nobody called it for 30 days, pushed 2026-01-02');
  expect([0, 0.000_012_34, 0.5, 1234.567].map(usd)).toEqual(['$0.00', '$0.0000123', '$0.50', '$1,234.57']);
});
