import * as json from './cost-schemas.ts';
import type { RouteShape } from './route-shape.ts';
import { listOf } from './schemas.ts';

const BUDGETS = '/control/v1/budgets';
const control = { plane: 'control', role: 'operator' } as const;

export const COST_ROUTES = [
  {
    ...control,
    id: 'cost-read',
    method: 'GET',
    path: '/control/v1/cost',
    summary: 'What workers cost in a span of days, who used them, and what was idle',
    query: json.costQuery,
    responses: { 200: json.costJson },
  },
  {
    ...control,
    id: 'tenant-cost-read',
    method: 'GET',
    path: '/control/v1/tenants/{tenant}/cost',
    summary: 'What a tenant used in a span of days, and what that costs',
    role: 'tenant-admin',
    query: json.tenantCostQuery,
    responses: { 200: json.tenantCostJson },
  },
  {
    ...control,
    id: 'budget-list',
    method: 'GET',
    path: BUDGETS,
    summary: 'Budgets and how much of each is spent',
    responses: { 200: listOf(json.budgetJson) },
  },
  {
    ...control,
    id: 'budget-put',
    method: 'PUT',
    path: BUDGETS,
    summary: 'Set what may be spent by the region, a tenant or a model: beyond it somebody is told, nothing is refused',
    body: json.budgetPutBody,
    responses: { 200: json.budgetJson },
  },
  {
    ...control,
    id: 'budget-remove',
    method: 'DELETE',
    path: BUDGETS,
    summary: 'Remove the budget of the scope in the query',
    query: json.budgetQuery,
    responses: { 204: 'empty' },
  },
  {
    ...control,
    id: 'orphan-list',
    method: 'GET',
    path: '/control/v1/orphans',
    summary: 'Models and versions that nobody called for so many days, and pools that ran nothing',
    query: json.orphansQuery,
    responses: { 200: json.orphansJson },
  },
] as const satisfies readonly RouteShape[];
