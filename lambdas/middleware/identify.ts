import type { RouteShape } from '../../core/api/route-shape.ts';
import { Failure } from '../../core/failure.ts';
import type { Gateway } from '../../core/inference/gateway.ts';
import { TENANT_ID } from '../../core/tenancy/tenant.ts';
import type { Exchange, Middleware } from './exchange.ts';

/**
 * The tenant that a request acts for: a principal's own everywhere, and on the data plane the one that an operator names
 * with `Sluice-Tenant`. Operators act for none on the control plane.
 */
export function identify(gateway: Pick<Gateway, 'identify'>, plane: RouteShape['plane']): Middleware {
  return {
    before({ event: exchange }) {
      const { asker } = exchange;
      if (asker.tenant === undefined && plane === 'control') return;
      const caller = gateway.identify(asker, asker.tenant ?? tenantHeader(exchange));
      if (!(caller instanceof Promise)) {
        exchange.caller = caller;
        return;
      }
      return caller.then((found) => {
        exchange.caller = found;
      });
    },
  };
}

function tenantHeader(exchange: Exchange): string {
  const tenant = exchange.headers['sluice-tenant'];
  if (tenant !== undefined && TENANT_ID.test(tenant)) return tenant;
  throw new Failure('header-invalid', { field: 'Sluice-Tenant', detail: 'an operator names the tenant to act for' });
}
