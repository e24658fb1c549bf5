import { Failure } from '../../core/failure.ts';
import { chain } from '../middleware/chain.ts';
import type { HttpHandler } from '../middleware/http-handler.ts';
import type { HttpHost } from './host.ts';

/** Answers what no route takes: the invocation's refusal, or `route-unknown`. */
export function createRefusal(host: HttpHost): HttpHandler {
  return chain(host, { id: 'none', method: 'GET', path: '/{proxy+}', plane: 'meta', role: 'public' }, () => {
    throw new Failure('route-unknown');
  });
}
