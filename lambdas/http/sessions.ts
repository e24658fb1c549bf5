import { sessionToJson } from '../../core/api/session-routes.ts';
import type { HttpHandler } from '../middleware/http-handler.ts';
import { endpoint } from './endpoint.ts';
import type { HttpHost } from './host.ts';

export function getSession(host: HttpHost): HttpHandler {
  return endpoint(host, 'session-read', ({ exchange }) => ({
    status: 200,
    body: sessionToJson(exchange.asker, host.config.region),
  }));
}
