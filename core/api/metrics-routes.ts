import { metricsJson, metricsQuery, overviewJson } from './metrics-schemas.ts';
import type { RouteShape } from './route-shape.ts';

const control = { plane: 'control', role: 'operator' } as const;

export const METRICS_ROUTES = [
  {
    ...control,
    id: 'overview',
    method: 'GET',
    path: '/control/v1/overview',
    summary:
      'The region at a glance: traffic of the last hour, queues, workers, releases under way, alarms, cost of today',
    responses: { 200: overviewJson },
  },
  {
    ...control,
    id: 'model-metrics',
    method: 'GET',
    path: '/control/v1/models/{model}/metrics',
    summary:
      'What a version did over time: requests, errors, latency, batches, labels and who asked. The last hour by minute unless told otherwise',
    query: metricsQuery,
    responses: { 200: metricsJson },
  },
] as const satisfies readonly RouteShape[];
