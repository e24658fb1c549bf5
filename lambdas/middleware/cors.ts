import type { RegionConfig } from '../../core/ports/platform.ts';
import type { Exchange, Middleware, Step } from './exchange.ts';

const EXPOSED = [
  'Location',
  'Retry-After',
  'RateLimit',
  'RateLimit-Policy',
  'Preference-Applied',
  'Inference-Header-Content-Length',
  'Sluice-Cache',
  'Sluice-Degraded',
  'Sluice-Model-Version',
  'Sluice-Prediction',
  'Sluice-Region',
  'Sluice-Replayed',
  'Sluice-Request-Id',
  'Sluice-Variant',
].join(', ');

/**
 * Lets browsers of the configured origins, and of the tenant's own, read the answer. `Access-Control-Allow-Credentials` is
 * never sent: who asks is in `Authorization` alone, never in a cookie.
 */
export function cors(config: Pick<RegionConfig, 'corsOrigins'>): Middleware {
  const write = ({ event: exchange, response }: Step) => {
    if (response == null || exchange.elsewhere?.forwarded) return;
    response.headers.Vary = 'Origin';
    const { origin } = exchange.headers;
    if (origin === undefined || !mayRead(origin, exchange, config.corsOrigins)) return;
    response.headers['Access-Control-Allow-Origin'] = origin;
    response.headers['Access-Control-Expose-Headers'] = EXPOSED;
  };
  return { after: write, onError: write };
}

/**
 * Until a principal is known an answer holds nothing of any tenant, and a page whose token has expired must be able to
 * read that it has. From then on only the origins that were configured may.
 */
function mayRead(origin: string, exchange: Exchange, configured: readonly string[]): boolean {
  if (exchange.principal === undefined || configured.includes('*') || configured.includes(origin)) return true;
  return exchange.caller?.tenant.allowedOrigins.includes(origin) ?? false;
}
