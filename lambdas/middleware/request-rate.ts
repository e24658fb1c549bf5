import type { Gateway } from '../../core/inference/gateway.ts';
import type { Middleware } from './exchange.ts';

/** Takes one request from the tenant's rate before any of its body is looked at; `quota-exceeded`. */
export function requestRate(gateway: Pick<Gateway, 'takeRequest'>): Middleware {
  return {
    before({ event: exchange }) {
      const quota = gateway.takeRequest(exchange.actingFor);
      if (!(quota instanceof Promise)) {
        exchange.quota = quota;
        return;
      }
      return quota.then((state) => {
        exchange.quota = state;
      });
    },
  };
}
