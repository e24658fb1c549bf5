import { asFailure } from '../../core/failure.ts';
import type { Platform } from '../../core/ports/platform.ts';
import { traceOf } from '../../core/trace/trace-context.ts';
import type { Exchange, Step } from './exchange.ts';
import { modelOf } from './request-log.ts';

/** What is done for a request's trace before its first step and after its last; no step of its own, each of which costs a turn. */
export type Tracing = { begin(exchange: Exchange): void; record(step: Step): void };

/**
 * A span a request, the first or its caller's child: kept if its trace is, and always if we failed. What belongs to another region's
 * tenant names no tenant here. Undefined where nothing is traced.
 */
export function traceRequests(
  { spans, clock, config }: Pick<Platform, 'clock' | 'config' | 'spans'>,
  route: { readonly path: string },
): Tracing | undefined {
  if (spans === undefined) return undefined;
  return {
    begin(exchange) {
      const trace = traceOf(exchange.headers.traceparent, spans.share);
      const { context } = trace;
      const isTooMany = context.sampled && !spans.hasRoom(exchange.startedMs);
      exchange.trace = isTooMany ? { ...trace, context: { ...context, sampled: false } } : trace;
    },
    record({ event: exchange, response, error }) {
      const { trace } = exchange;
      const status = response?.status ?? 500;
      if (trace === undefined || (!trace.context.sampled && status < 500)) return;
      const failure = status < 500 ? undefined : error == null ? `http-${status}` : asFailure(error).code;
      const model = modelOf(exchange, error);
      const version = response?.headers['Sluice-Model-Version'];
      const tenant = exchange.elsewhere === undefined ? exchange.caller?.tenant.id : undefined;
      spans.record({
        ...trace,
        name: `${exchange.event.httpMethod} ${route.path}`,
        kind: 'server',
        startMs: exchange.startedMs,
        endMs: clock.nowMs(),
        failure,
        attributes: {
          'http.request.method': exchange.event.httpMethod,
          'http.route': route.path,
          'http.response.status_code': status,
          'sluice.region': config.region,
          'sluice.request_id': exchange.invocation.requestId,
          ...(tenant === undefined ? {} : { 'sluice.tenant': tenant }),
          ...(model === undefined ? {} : { 'sluice.model': model }),
          ...(version === undefined ? {} : { 'sluice.version': version }),
        },
      });
    },
  };
}
