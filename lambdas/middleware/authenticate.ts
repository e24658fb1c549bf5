import type { Platform } from '../../core/ports/platform.ts';
import type { Middleware } from './exchange.ts';

/** Finds out who asks; throws the failures of `Identity.authenticate`. */
export function authenticate({ identity, clock }: Pick<Platform, 'identity' | 'clock'>): Middleware {
  return {
    async before({ event: exchange }) {
      exchange.principal = await identity.authenticate(exchange.headers.authorization, clock.nowMs());
    },
  };
}
