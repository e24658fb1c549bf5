import { DEV_ISSUER_PATH, type DevIssuer } from '../adapters/identity/dev-issuer.ts';
import type { Extra } from './find-target.ts';

/**
 * Serves the development issuer. It is not in the route table, as no deployment but this one has it; like any issuer it
 * speaks OAuth's errors, not problem+json.
 */
export function createDevOidc(issuer: DevIssuer): Extra {
  return {
    prefix: `${DEV_ISSUER_PATH}/`,
    async handler(event) {
      const header = (wanted: string) =>
        Object.entries(event.headers).find(([name]) => name.toLowerCase() === wanted)?.[1];
      const answer = await issuer.answer({
        method: event.httpMethod === 'HEAD' ? 'GET' : event.httpMethod,
        path: event.path,
        query: new URLSearchParams((event.queryStringParameters ?? {}) as Record<string, string>).toString(),
        authorization: header('authorization'),
        origin: header('origin'),
        cookie: header('cookie'),
        body: event.body ?? '',
      });
      const { status, body, headers } = answer ?? { status: 404, body: { error: 'not_found' } };
      const text = typeof body === 'string';
      return {
        status,
        headers: { ...(text ? {} : { 'Content-Type': 'application/json' }), 'Cache-Control': 'no-store', ...headers },
        body: text ? body : JSON.stringify(body),
      };
    },
  };
}
