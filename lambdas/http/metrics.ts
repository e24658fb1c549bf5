import { metricsToJson, overviewToJson } from '../../core/api/metrics-json.ts';
import { spanOf } from '../../core/api/time-span.ts';
import { Overviews } from '../../core/operations/read-overview.ts';
import { readMetrics } from '../../core/quality/read-metrics.ts';
import type { HttpHandler } from '../middleware/http-handler.ts';
import { endpoint } from './endpoint.ts';
import type { HttpHost } from './host.ts';

export function getModelMetrics(host: HttpHost): HttpHandler {
  return endpoint(host, 'model-metrics', async ({ params: { model }, query: { version, ...asked } }) => {
    const span = spanOf(asked, host.clock.nowMs());
    const metrics = await readMetrics(host, { model, version, ...span });
    return { status: 200, body: metricsToJson(model, metrics, span) };
  });
}

export function getOverview(host: HttpHost): HttpHandler {
  const overviews = new Overviews(host);
  return endpoint(host, 'overview', async () => ({
    status: 200,
    body: overviewToJson(await overviews.read(), host.config),
  }));
}
