import { parseCacheControl, parseIdempotencyKey, parsePrefer, parseTraceparent } from '../../core/api/headers.ts';
import { decodeInferBinary } from '../../core/api/oip-binary.ts';
import { decodeInferJson } from '../../core/api/oip-json.ts';
import type { InferCall, InferRequest } from '../../core/inference/request.ts';
import { traceparentOf } from '../../core/trace/trace-context.ts';
import type { Exchange } from '../middleware/exchange.ts';
import type { HttpHandler } from '../middleware/http-handler.ts';
import { rawEndpoint } from './endpoint.ts';
import type { HttpHost } from './host.ts';
import { accepted, answered } from './prediction-answer.ts';
import { readBytes, readText } from './read-body.ts';

export function infer(host: HttpHost): HttpHandler {
  return rawEndpoint(host, 'infer', (exchange) => predict(host, exchange));
}

export function inferVersion(host: HttpHost): HttpHandler {
  return rawEndpoint(host, 'version-infer', (exchange) => predict(host, exchange));
}

async function predict(host: HttpHost, exchange: Exchange) {
  const call = toCall(exchange);
  const answer = await host.gateway.infer(call);
  return answer.kind === 'answered' ? answered(answer, call.prefer, call.request) : accepted(answer, call.prefer);
}

function toCall(exchange: Exchange): InferCall {
  const { headers, event, invocation } = exchange;
  const { model, version } = event.pathParameters as { readonly model: string; readonly version?: string };
  return {
    caller: exchange.actingFor,
    model,
    version,
    prefer: parsePrefer(headers.prefer),
    caching: parseCacheControl(headers['cache-control']),
    idempotencyKey: parseIdempotencyKey(headers['idempotency-key']),
    traceparent:
      exchange.trace === undefined ? parseTraceparent(headers.traceparent) : traceparentOf(exchange.trace.context),
    request: decode(exchange, model),
    signal: invocation.signal,
  };
}

/** The binary extension is known by its length header; clients do not all send a Content-Type. */
function decode({ event, headers }: Exchange, model: string): InferRequest {
  const headerLength = headers['inference-header-content-length'];
  return headerLength === undefined
    ? decodeInferJson(readText(event, headers), model)
    : decodeInferBinary(readBytes(event, headers), headerLength, model);
}
