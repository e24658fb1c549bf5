import { formatRateLimit, formatRateLimitPolicy } from '../../core/api/headers.ts';
import type { RouteShape } from '../../core/api/route-shape.ts';
import type { Middleware, Step } from './exchange.ts';

/** What every answer says of itself: which region made it, for which request, how much of the rate is left. */
export function answerHeaders(region: string, plane: RouteShape['plane']): Middleware {
  const write = ({ event: exchange, response }: Step) => {
    // The home region's answer tells of the home region.
    if (response == null || exchange.elsewhere?.forwarded) return;
    const { headers } = response;
    headers['Sluice-Region'] = region;
    headers['Sluice-Request-Id'] = exchange.invocation.requestId;
    headers['X-Content-Type-Options'] = 'nosniff';
    headers['Cache-Control'] ??= 'no-store';
    if (plane !== 'data') {
      headers['Content-Security-Policy'] = "default-src 'none'; frame-ancestors 'none'";
      return;
    }
    headers['Sluice-Cache'] ??= 'none';
    if (exchange.quota === undefined) return;
    headers.RateLimit ??= formatRateLimit(exchange.quota);
    headers['RateLimit-Policy'] ??= formatRateLimitPolicy(exchange.quota);
  };
  return { after: write, onError: write };
}
