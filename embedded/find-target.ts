import { findTarget as findRoute, type Target } from '../lambdas/http/find-target.ts';
import type { HttpHandlers } from '../lambdas/http/handlers.ts';
import type { HttpHandler } from '../lambdas/middleware/http-handler.ts';

export type { Target };

/** Handlers of one region, and what else answers under its address. */
export type Handlers = HttpHandlers & {
  /** Served outside the route table, such as the development issuer. */
  readonly extras: readonly Extra[];
};

/** One path, or all that begin with it if it ends with a slash. */
export type Extra = { readonly prefix: string; readonly handler: HttpHandler };

export function findTarget(handlers: Handlers, method: string, path: string): Target {
  const extra = handlers.extras.find(
    ({ prefix }) => path === prefix || (prefix.endsWith('/') && path.startsWith(prefix)),
  );
  if (extra !== undefined) {
    return { handler: extra.handler, resource: path, params: null, body: 'buffered', refusal: undefined };
  }
  return findRoute(handlers, method, path);
}
