import { ROUTES } from '../../core/api/routes.ts';
import { chain } from '../middleware/chain.ts';
import type { HttpHandler } from '../middleware/http-handler.ts';
import type { HttpHost } from './host.ts';

const ALLOWED_HEADERS = [
  'Authorization',
  'Cache-Control',
  'Content-Type',
  'Idempotency-Key',
  'Inference-Header-Content-Length',
  'Prefer',
  'Sluice-Tenant',
  'traceparent',
  'tracestate',
].join(', ');

/** Two hours: the longest that Chromium keeps one. */
const MAX_AGE_S = 7200;

/**
 * Answers OPTIONS on every route. A preflight carries no credentials, so it cannot know whose origins count: it lets any
 * page ask, which gains nothing without a token, and the answer to the request itself says who may read it.
 */
export function createPreflight(host: HttpHost): HttpHandler {
  const methods = methodsByPath();
  return chain(
    host,
    { id: 'preflight', method: 'GET', path: '/{proxy+}', plane: 'meta', role: 'public' },
    ({ event, headers }) => {
      const allow = methods.get(event.resource) ?? 'OPTIONS';
      const answer: Record<string, string> = { Allow: allow };
      if (headers.origin !== undefined) {
        answer['Access-Control-Allow-Methods'] = allow;
        answer['Access-Control-Allow-Headers'] = ALLOWED_HEADERS;
        answer['Access-Control-Max-Age'] = String(MAX_AGE_S);
      }
      return { status: 204, headers: answer, body: '' };
    },
  );
}

function methodsByPath(): ReadonlyMap<string, string> {
  const methods = new Map<string, Set<string>>();
  for (const { path, method } of ROUTES) {
    const those = methods.get(path) ?? new Set(['OPTIONS']);
    those.add(method);
    if (method === 'GET') those.add('HEAD');
    methods.set(path, those);
  }
  return new Map([...methods].map(([path, those]) => [path, [...those].sort().join(', ')]));
}
