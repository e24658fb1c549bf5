import { matchRoute } from '../../core/api/match-route.ts';
import type { RouteShape } from '../../core/api/route-shape.ts';
import type { Answer } from './http-client.ts';

/**
 * Throws unless the route table has this answer: the status is one of the route's, and the body is what its schema says,
 * with nothing beside. Failures, and what is answered outside the table, are not looked at.
 */
export function expectDescribed(method: string, path: string, answer: Answer): void {
  const match = matchRoute(method, path.replace(/[?#].*$/, ''));
  if (answer.status >= 300 || typeof match === 'string' || !('route' in match)) return;
  const route: RouteShape = match.route;
  const described = route.responses[answer.status];
  if (described === undefined) throw new Error(`${route.id} answered ${answer.status}, which the table does not have`);
  if (described === 'empty') {
    if (answer.bytes.length > 0) throw new Error(`${route.id} answered ${answer.status} with a body`);
    return;
  }
  if (answer.header('content-type') === 'application/octet-stream' && route.body === 'oip-infer') return;
  const parsed = described.safeParse(answer.json());
  if (!parsed.success) throw new Error(`${route.id} is not what the table says`, { cause: parsed.error });
}
