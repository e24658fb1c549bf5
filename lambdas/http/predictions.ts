import { parsePrefer } from '../../core/api/headers.ts';
import type { HttpHandler } from '../middleware/http-handler.ts';
import { endpoint, rawEndpoint } from './endpoint.ts';
import type { HttpHost } from './host.ts';
import { accepted, answered } from './prediction-answer.ts';

/** Asking waits only if it says so: `Prefer: wait=n`. */
export function readPrediction(host: HttpHost): HttpHandler {
  return rawEndpoint(host, 'prediction-read', async (exchange) => {
    const id = exchange.event.pathParameters!.prediction!;
    const prefer = parsePrefer(exchange.headers.prefer);
    const { signal } = exchange.invocation;
    const answer = await host.gateway.readPrediction(exchange.actingFor, id, prefer.waitMs ?? 0, signal);
    return answer.kind === 'answered' ? answered(answer, prefer) : accepted(answer, prefer);
  });
}

export function cancelPrediction(host: HttpHost): HttpHandler {
  return endpoint(host, 'prediction-cancel', async ({ exchange, params }) => ({
    status: 200,
    body: { id: params.prediction, state: await host.gateway.cancelPrediction(exchange.actingFor, params.prediction) },
  }));
}
