import { asFailure } from '../../core/failure.ts';
import type { Platform } from '../../core/ports/platform.ts';
import type { Spans } from '../../core/ports/spans.ts';
import { traceOf } from '../../core/trace/trace-context.ts';
import type { Middleware, Step } from './exchange.ts';
import { modelOf } from './request-log.ts';

/**
 * A span a request, the first or its caller's child: kept if its trace is, and always if we failed. What belongs to another region's
 * tenant names no tenant here.
 */
export function tracing(
  host: Pick<Platform, 'clock' | 'config'> & { readonly spans: Spans },
  route: { readonly path: string },
): Middleware {
  const { spans, clock, config } = host;
  const record = ({ event: exchange, response, error }: Step) => {
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
  };
  return {
    before({ event: exchange }) {
      exchange.trace = traceOf(exchange.headers.traceparent, spans.share);
    },
    after: record,
    onError: record,
  };
}
