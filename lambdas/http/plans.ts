import { planToJson } from '../../core/api/control-json.ts';
import { camelKeys } from '../../core/api/snake-case.ts';
import { putPlan } from '../../core/tenancy/manage-plans.ts';
import type { HttpHandler } from '../middleware/http-handler.ts';
import { endpoint } from './endpoint.ts';
import type { HttpHost } from './host.ts';

export function getPlans(host: HttpHost): HttpHandler {
  return endpoint(host, 'plan-list', async () => ({
    status: 200,
    body: { items: (await host.registry.listPlans()).map(planToJson) },
  }));
}

export function replacePlan(host: HttpHost): HttpHandler {
  return endpoint(host, 'plan-put', async ({ params, body }) => ({
    status: 200,
    body: planToJson(await putPlan(host, params.plan, camelKeys(body.limits), body.epoch)),
  }));
}
