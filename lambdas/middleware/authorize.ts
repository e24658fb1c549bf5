import type { RouteShape } from '../../core/api/route-shape.ts';
import { Failure } from '../../core/failure.ts';
import { roleReaches } from '../../core/tenancy/principal.ts';
import type { Middleware } from './exchange.ts';

/**
 * The role of the route, and for a tenant's principal its own tenant only: the answer is the same whether another one
 * exists or not.
 */
export function authorize(role: Exclude<RouteShape['role'], 'public'>): Middleware {
  return {
    before({ event: exchange }) {
      const { asker, namedTenant } = exchange;
      if (!roleReaches(asker.role, role)) throw new Failure('forbidden', { requiredRole: role });
      if (asker.tenant !== undefined && namedTenant !== undefined && namedTenant !== asker.tenant) {
        throw new Failure('forbidden', { field: 'tenant', requiredRole: 'operator' });
      }
    },
  };
}
