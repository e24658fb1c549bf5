import type { Middleware } from './exchange.ts';

/** Answers at once what the host could not take. */
export const refusal: Middleware = {
  before({ event: exchange }) {
    if (exchange.invocation.refusal !== undefined) throw exchange.invocation.refusal;
  },
};
