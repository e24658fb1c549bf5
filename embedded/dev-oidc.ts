import { DEV_ISSUER_PATH, type DevIssuer } from '../adapters/identity/dev-issuer.ts';
import type { HttpHandler } from '../lambdas/middleware/http-handler.ts';

/**
 * Serves the development issuer. It is not in the route table, as no deployment but this one has it; like any issuer it
 * speaks OAuth's errors, not problem+json.
 */
export function createDevOidc(issuer: DevIssuer): { readonly prefix: string; readonly handler: HttpHandler } {
  return {
    prefix: `${DEV_ISSUER_PATH}/`,
    async handler(event) {
      const authorization = Object.entries(event.headers).find(([name]) => name.toLowerCase() === 'authorization')?.[1];
      const answer = await issuer.answer({
        method: event.httpMethod,
        path: event.path,
        authorization,
        body: event.body ?? '',
      });
      const { status, body } = answer ?? { status: 404, body: { error: 'not_found' } };
      const headers = { 'Content-Type': 'application/json', 'Cache-Control': 'no-store' };
      return { status, headers, body: JSON.stringify(body) };
    },
  };
}
