import { findTarget as findRoute, type Target } from '../lambdas/http/find-target.ts';
import type { HttpHandlers } from '../lambdas/http/handlers.ts';
import type { HttpHandler } from '../lambdas/middleware/http-handler.ts';

export type { Target };

/** Handlers of one region, and what else answers under its address. */
export type Handlers = HttpHandlers & {
  /** Served outside the route table, such as the development issuer. */
  readonly extra: { readonly prefix: string; readonly handler: HttpHandler } | undefined;
};

export function findTarget(handlers: Handlers, method: string, path: string): Target {
  const { extra } = handlers;
  if (extra !== undefined && path.startsWith(extra.prefix)) {
    return { handler: extra.handler, resource: path, params: null, body: 'buffered', refusal: undefined };
  }
  return findRoute(handlers, method, path);
}
