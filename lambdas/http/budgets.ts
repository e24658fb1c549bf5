import { budgetFromJson, budgetToJson, orphansToJson } from '../../core/api/budget-json.ts';
import { findOrphans } from '../../core/cost/find-orphans.ts';
import { putBudget } from '../../core/cost/manage-budgets.ts';
import { BudgetReader } from '../../core/cost/read-budgets.ts';
import type { HttpHandler } from '../middleware/http-handler.ts';
import { endpoint } from './endpoint.ts';
import type { HttpHost } from './host.ts';

export function getBudgets(host: HttpHost): HttpHandler {
  const budgets = new BudgetReader(host);
  return endpoint(host, 'budget-list', async () => ({
    status: 200,
    body: { items: (await budgets.read(host.clock.nowMs())).map(budgetToJson) },
  }));
}

export function replaceBudget(host: HttpHost): HttpHandler {
  const budgets = new BudgetReader(host);
  return endpoint(host, 'budget-put', async ({ body }) => {
    const budget = await putBudget(host, budgetFromJson(body), body.epoch);
    const state = await budgets.readOne(budget, host.clock.nowMs());
    return { status: 200, body: budgetToJson(state) };
  });
}

export function deleteBudget(host: HttpHost): HttpHandler {
  return endpoint(host, 'budget-remove', async ({ query }) => {
    await host.budgets.remove(query.scope);
    return { status: 204, body: undefined };
  });
}

export function getOrphans(host: HttpHost): HttpHandler {
  return endpoint(host, 'orphan-list', async ({ query: { days } }) => ({
    status: 200,
    body: orphansToJson(await findOrphans(host, days), days, host.clock.nowMs()),
  }));
}
