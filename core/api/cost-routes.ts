import * as json from './cost-schemas.ts';
import type { RouteShape } from './route-shape.ts';

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
] as const satisfies readonly RouteShape[];
