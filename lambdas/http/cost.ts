import { costToJson, tenantCostToJson } from '../../core/api/cost-json.ts';
import { readCacheHits } from '../../core/cost/cache-hits.ts';
import { daysOf, ofTenant, readCost } from '../../core/cost/read-cost.ts';
import { readTenant } from '../../core/tenancy/manage-tenants.ts';
import type { HttpHandler } from '../middleware/http-handler.ts';
import { endpoint } from './endpoint.ts';
import type { HttpHost } from './host.ts';

/** Every day of the span, whatever the limit: there are 400 at the most. */
const MOST_DAYS = 500;

export function getCost(host: HttpHost): HttpHandler {
  return endpoint(host, 'cost-read', async ({ query }) => {
    const { by, limit } = query;
    const days = daysAsked(host, query);
    const hits = by === 'model' || by === 'version' ? await readCacheHits(host, days) : undefined;
    const sum = await readCost(host, { days, by, versions: hits, most: by === 'day' ? MOST_DAYS : limit });
    return { status: 200, body: costToJson(sum, days, by, hits) };
  });
}

export function getTenantCost(host: HttpHost): HttpHandler {
  return endpoint(host, 'tenant-cost-read', async ({ params: { tenant }, query }) => {
    const { by, limit } = query;
    const { createdAtMs } = await readTenant(host, tenant);
    const days = ofTenant(daysAsked(host, query), createdAtMs);
    const sum = await readCost(host, { days, by, tenant, most: by === 'day' ? MOST_DAYS : limit });
    return { status: 200, body: tenantCostToJson(tenant, sum, days, by) };
  });
}

type Asked = { readonly from?: string | undefined; readonly until?: string | undefined };

function daysAsked({ clock }: Pick<HttpHost, 'clock'>, { from, until }: Asked) {
  const timeOf = (text: string | undefined) => (text === undefined ? undefined : Date.parse(text));
  return daysOf(timeOf(from), timeOf(until), clock.nowMs());
}
