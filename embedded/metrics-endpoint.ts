import type { ProcessCounters } from '../core/operations/process-counters.ts';
import { prometheusText } from '../core/operations/prometheus.ts';
import type { HttpHost } from '../lambdas/http/host.ts';
import { chain } from '../lambdas/middleware/chain.ts';
import type { Extra } from './find-target.ts';

const METRICS_PATH = '/metrics';
const ROUTE = { id: 'prometheus', method: 'GET', path: METRICS_PATH, plane: 'control', role: 'operator' } as const;

/**
 * What a Prometheus scrapes, with the key of an operator. It is not in the route table, as no deployment but this one has it: a function has no process
 * of which counters could be asked.
 */
export function createMetricsEndpoint(host: HttpHost, counters: ProcessCounters): Extra {
  const handler = chain(host, ROUTE, async () => ({
    status: 200,
    headers: { 'Content-Type': 'text/plain; version=0.0.4; charset=utf-8' },
    body: prometheusText(host.config.region, counters, await host.watches.latest(), host.clock.nowMs()),
  }));
  return { prefix: METRICS_PATH, handler };
}
