import middy from '@middy/core';
import type { Context } from 'aws-lambda';
import type { RouteShape } from '../../core/api/route-shape.ts';
import type { HttpHost } from '../http/host.ts';
import { answerHeaders } from './answer-headers.ts';
import { audit } from './audit.ts';
import { authenticate } from './authenticate.ts';
import { authorize } from './authorize.ts';
import { cors } from './cors.ts';
import { Exchange } from './exchange.ts';
import type { HttpAnswer, HttpHandler } from './http-handler.ts';
import { identify } from './identify.ts';
import { problem } from './problem.ts';
import { refusal } from './refusal.ts';
import { regionGuard } from './region-guard.ts';
import { requestLog } from './request-log.ts';
import { requestRate } from './request-rate.ts';
import { traceRequests } from './tracing.ts';

/** No step reads Lambda's context: what they need of it is in the Invocation. */
const NO_CONTEXT = {} as Context;

/** Of a route, what the steps before its handler need to know. */
export type Guarded = Pick<RouteShape, 'id' | 'method' | 'path' | 'plane' | 'role'>;

/**
 * Everything that stands around every handler, in the order of a request: region, authentication, authorization, request
 * rate, the audit of what changes something, then the handler, which parses. Answers and failures go back through the same
 * steps: problem, audit, headers, log.
 */
export function chain(
  host: HttpHost,
  route: Guarded,
  handle: (exchange: Exchange) => HttpAnswer | Promise<HttpAnswer>,
): HttpHandler {
  const isChange = route.plane === 'control' && route.method !== 'GET';
  const run = middy<Exchange, HttpAnswer, Error>({ timeoutEarlyInMillis: 0 });
  const tracing = traceRequests(host, route);
  run
    .use(requestLog(host, route.id, isChange, tracing?.record))
    .use(answerHeaders(host.config.region, route.plane))
    .use(cors(host.config));
  const audited = isChange && route.role !== 'public' ? audit(host, route.id) : undefined;
  if (audited !== undefined) run.use(audited.outer);
  run.use(problem(host.log)).use(refusal);
  if (route.role !== 'public') {
    run
      .use(regionGuard(host))
      .use(authenticate(host))
      .use(authorize(route.role))
      .use(identify(host.gateway, route.plane));
    if (route.plane === 'data') run.use(requestRate(host.gateway));
    if (audited !== undefined) run.use(audited.inner);
  }
  run.handler(handle);
  return (event, invocation) => {
    const exchange = new Exchange(event, invocation, host.clock.nowMs());
    tracing?.begin(exchange);
    return run(exchange, NO_CONTEXT);
  };
}
