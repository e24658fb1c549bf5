import { matchRoute } from '../../core/api/match-route.ts';
import type { RouteShape } from '../../core/api/route-shape.ts';
import type { RouteId } from '../../core/api/routes.ts';
import { Failure } from '../../core/failure.ts';
import type { HttpHandler } from '../middleware/http-handler.ts';

/** Handlers of a host. One that serves some of the endpoints answers `route-unknown` for the others. */
export type TargetHandlers = {
  readonly routes: Readonly<Partial<Record<RouteId, HttpHandler>>>;
  readonly preflight: HttpHandler;
  readonly refuse: HttpHandler;
};

/** Who answers a request, and what becomes of its body on the way. */
export type Target = {
  /** Path of the route as the table has it; '' if there is none. */
  readonly resource: string;
  readonly params: Readonly<Record<string, string>> | null;
  readonly handler: HttpHandler;
  readonly body: 'ignored' | 'buffered' | 'streamed';
  readonly refusal: Failure | undefined;
};

/** For a path without its query. HEAD is GET without the body, as RFC 9110 has it; OPTIONS is answered on every route. */
export function findTarget(handlers: TargetHandlers, method: string, path: string): Target {
  const match = matchRoute(method === 'HEAD' ? 'GET' : method, path);
  if (typeof match === 'string') return refuse(handlers, new Failure(match));
  if (!('route' in match)) return unsupported(handlers, method, path, match.allow);
  const { route, params } = match;
  const handler = handlers.routes[route.id];
  if (handler === undefined) return refuse(handlers, new Failure('route-unknown'));
  return { handler, resource: route.path, params, body: bodyOf(route), refusal: undefined };
}

function bodyOf(route: RouteShape): Target['body'] {
  return route.body === undefined ? 'ignored' : route.body === 'bytes' ? 'streamed' : 'buffered';
}

function unsupported(handlers: TargetHandlers, method: string, path: string, allow: readonly string[]): Target {
  if (method !== 'OPTIONS') {
    const head = allow.includes('GET') ? ['HEAD'] : [];
    return refuse(handlers, new Failure('method-unsupported', { allow: [...allow, ...head, 'OPTIONS'] }));
  }
  const match = matchRoute(allow[0]!, path);
  if (typeof match === 'string' || !('route' in match)) throw new Error('a path lost its routes');
  const { route, params } = match;
  return { handler: handlers.preflight, resource: route.path, params, body: 'ignored', refusal: undefined };
}

function refuse(handlers: TargetHandlers, refusal: Failure): Target {
  return { handler: handlers.refuse, resource: '', params: null, body: 'ignored', refusal };
}
