import { matchRoute } from '../core/api/match-route.ts';
import type { RouteShape } from '../core/api/route-shape.ts';
import { Failure } from '../core/failure.ts';
import type { HttpHandlers } from '../lambdas/http/handlers.ts';
import type { HttpHandler } from '../lambdas/middleware/http-handler.ts';
import type { MatchedPath } from './api-event.ts';

/** Handlers of one region, and what else answers under its address. */
export type Handlers = HttpHandlers & {
  /** Served outside the route table, such as the development issuer. */
  readonly extra: { readonly prefix: string; readonly handler: HttpHandler } | undefined;
};

/** Who answers a request, and what becomes of its body on the way. */
export type Target = MatchedPath & {
  readonly handler: HttpHandler;
  readonly body: 'ignored' | 'buffered' | 'streamed';
  readonly refusal: Failure | undefined;
};

/** HEAD is GET without the body, as RFC 9110 has it. */
export function findTarget(handlers: Handlers, method: string, path: string): Target {
  const { extra } = handlers;
  if (extra !== undefined && path.startsWith(extra.prefix)) {
    return { handler: extra.handler, resource: path, params: null, body: 'buffered', refusal: undefined };
  }
  const match = matchRoute(method === 'HEAD' ? 'GET' : method, path);
  if (typeof match === 'string') return refuse(handlers, new Failure(match));
  if (!('route' in match)) return unsupported(handlers, method, path, match.allow);
  const { route, params } = match;
  const body = bodyOf(route);
  return { handler: handlers.routes[route.id], resource: route.path, params, body, refusal: undefined };
}

function bodyOf(route: RouteShape): Target['body'] {
  return route.body === undefined ? 'ignored' : route.body === 'bytes' ? 'streamed' : 'buffered';
}

function unsupported(handlers: Handlers, method: string, path: string, allow: readonly string[]): Target {
  if (method !== 'OPTIONS') {
    const head = allow.includes('GET') ? ['HEAD'] : [];
    return refuse(handlers, new Failure('method-unsupported', { allow: [...allow, ...head, 'OPTIONS'] }));
  }
  const match = matchRoute(allow[0]!, path);
  if (typeof match === 'string' || !('route' in match)) throw new Error('a path lost its routes');
  const { route, params } = match;
  return { handler: handlers.preflight, resource: route.path, params, body: 'ignored', refusal: undefined };
}

function refuse(handlers: Handlers, refusal: Failure): Target {
  return { handler: handlers.refuse, resource: '', params: null, body: 'ignored', refusal };
}
