import { asFailure } from '../../core/failure.ts';
import type { Platform } from '../../core/ports/platform.ts';
import { contextIn } from '../../core/trace/trace-context.ts';
import type { Middleware, Step } from './exchange.ts';

/**
 * One line a request: changes of the control plane at `info`, what broke on our side at `warn`, the rest at `debug`:
 * predictions, refusals under load and strangers come by the ten thousand. Sizes are of what is sent and answered, in bytes,
 * those of text in characters; a body that is streamed has none. `trace` is told of the same. Of a request that belongs to another region no tenant or principal is named.
 */
export function requestLog(
  { log, clock }: Pick<Platform, 'log' | 'clock'>,
  routeId: string,
  isChange: boolean,
  trace?: (step: Step) => void,
): Middleware {
  const write = (step: Step) => {
    trace?.(step);
    const { event: exchange, response, error } = step;
    const status = response?.status ?? 500;
    const known = exchange.elsewhere === undefined;
    const fields = {
      request_id: exchange.invocation.requestId,
      route: routeId,
      status,
      duration_ms: clock.nowMs() - exchange.startedMs,
      trace_id: traceIdOf(exchange),
      tenant: known ? exchange.caller?.tenant.id : undefined,
      principal: known ? exchange.principal?.id : undefined,
      model: known ? modelOf(exchange, error) : undefined,
      version: response?.headers['Sluice-Model-Version'],
      bytes_in: bytesOf(exchange.event),
      bytes_out: typeof response?.body === 'string' ? response.body.length : undefined,
      code: error == null ? undefined : asFailure(error).code,
      home_region: exchange.elsewhere?.region,
    };
    if (status >= 500 && fields.code !== 'overloaded') log.warn('request', fields);
    else if (isChange && exchange.principal !== undefined) log.info('request', fields);
    else log.debug('request', fields);
  };
  return { after: write, onError: write };
}

function bytesOf({ body, isBase64Encoded }: Step['event']['event']): number {
  if (body === null) return 0;
  return isBase64Encoded ? Math.floor((body.length * 3) / 4) : body.length;
}

/** Its caller's where nothing is traced here. */
function traceIdOf({ trace, headers: { traceparent } }: Step['event']): string | undefined {
  return trace?.context.traceId ?? (traceparent === undefined ? undefined : contextIn(traceparent)?.traceId);
}

/** As the path names it: of a caller that is known, and of a model that there is. Anything else is text that somebody sent. */
export function modelOf({ principal, event }: Step['event'], error: Step['error']): string | undefined {
  const isNone = error != null && asFailure(error).code === 'model-unknown';
  return principal === undefined || isNone ? undefined : event.pathParameters?.model;
}
