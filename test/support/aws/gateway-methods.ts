import { HTTP_FUNCTIONS, type HttpFunction, STREAMED_FUNCTIONS } from '../../../adapters/aws/environment.ts';
import { ROUTES } from '../../../core/api/routes.ts';
import type { DeployedFunction } from '../../../lib/bundle.ts';

/** What a method of the API does: which function it asks, how that answers, and for how long it is waited for. */
export type Method = { readonly function: HttpFunction; readonly streamed: boolean; readonly timeoutMs: number };

/** How long an invocation may take, as the functions of a region are deployed. */
export const TIMEOUT_S: Readonly<Record<DeployedFunction, number>> = {
  infer: 60,
  predictions: 60,
  catalogue: 29,
  replay: 29,
  control: 29,
  validate: 900,
  notices: 120,
  sweep: 55,
  'model-packages': 300,
  'release-step': 55,
  quality: 600,
  watch: 55,
  setup: 60,
};
/** API Gateway waits no longer for an answer that is not streamed. */
const BUFFERED_S = 29;

/** The API's methods, as `POST /v2/…`: the endpoints, HEAD of each that has GET, and everything else at `catalogue`. */
export function gatewayMethods(): Readonly<Record<string, Method>> {
  const methods: Record<string, Method> = {};
  for (const [name, ids] of Object.entries(HTTP_FUNCTIONS) as [HttpFunction, readonly string[]][]) {
    for (const { method, path } of ROUTES.filter(({ id }) => ids.includes(id))) {
      methods[`${method} ${path}`] = methodOf(name);
      if (method === 'GET') methods[`HEAD ${path}`] = methodOf(name);
    }
  }
  // Also where no endpoint is, on the way to those that are.
  const resources = new Set(['/', '/{proxy+}']);
  for (const { path } of ROUTES) {
    const segments = path.split('/');
    for (let length = 2; length <= segments.length; length += 1) resources.add(segments.slice(0, length).join('/'));
  }
  for (const resource of resources) methods[`ANY ${resource}`] = methodOf('catalogue');
  return methods;
}

function methodOf(name: HttpFunction): Method {
  const streamed = STREAMED_FUNCTIONS.has(name);
  return { function: name, streamed, timeoutMs: (streamed ? TIMEOUT_S[name] : BUFFERED_S) * 1000 };
}
