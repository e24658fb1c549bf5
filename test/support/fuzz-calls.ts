import fc from 'fast-check';
import { fourOf, texts } from './http-client.ts';

/** `Authorization` values of callers whose calls may succeed. */
export type FuzzCallers = { readonly tenant: string; readonly browser: string; readonly admin: string };

/** A valid call: what is mutated comes past the first checks. Its caller is one of the `Authorization` values, by name. */
type GoodCall = {
  readonly by: keyof FuzzCallers;
  readonly method: string;
  readonly path: string;
  readonly body: unknown;
};

export const GOOD_INFER = { id: 'x', parameters: { timeout_ms: 1000 }, inputs: fourOf(1), outputs: [{ name: 'sum' }] };
const SENTIMENT = { inputs: texts('text', 'fine'), outputs: [{ name: 'label', parameters: { binary_data: true } }] };
const LIMITS = {
  requests_per_second: 1,
  request_burst: 1,
  rows_per_minute: 1,
  requests_in_flight: 1,
  waiting_handlers: 1,
  daily_compute_ms: 1,
  weight: 1,
  models: ['*'],
};
const TENANT = {
  name: 'Fuzz',
  plan: 'pro',
  overrides: { weight: 2 },
  wrong_region: 'refuse',
  allowed_origins: ['https://x'],
};
const ISSUER = {
  issuer: 'https://issuer.example',
  audience: 'sluice',
  jwks_uri: 'https://issuer.example/keys',
  tenants: ['fuzzed'],
  max_role: 'tenant-user',
};
const PUSH = {
  manifest: { name: 'fuzz-model', inputs: { x: { min: 0 } } },
  model_upload: 'upl_0',
  golden_upload: 'upl_1',
};

export const GOOD_CALLS: readonly GoodCall[] = [
  { by: 'tenant', method: 'POST', path: '/v2/models/row-sum/infer', body: GOOD_INFER },
  { by: 'browser', method: 'POST', path: '/v2/models/row-sum/versions/1/infer', body: GOOD_INFER },
  { by: 'tenant', method: 'POST', path: '/v2/models/ticket-sentiment/infer', body: SENTIMENT },
  { by: 'admin', method: 'POST', path: '/control/v1/tenants', body: { id: 'fuzz-new', region: 'us', ...TENANT } },
  { by: 'admin', method: 'PATCH', path: '/control/v1/tenants/fuzz-other', body: { ...TENANT, epoch: 1 } },
  { by: 'tenant', method: 'POST', path: '/control/v1/tenants/fuzzed/keys', body: { label: 'x', models: ['row-sum'] } },
  {
    by: 'tenant',
    method: 'POST',
    path: '/control/v1/tenants/fuzzed/browser-tokens',
    body: { user: 'x', models: ['row-sum'] },
  },
  { by: 'admin', method: 'POST', path: '/control/v1/operator-keys', body: { label: 'x', role: 'operator' } },
  { by: 'admin', method: 'PUT', path: '/control/v1/plans/fuzz-plan', body: { limits: LIMITS } },
  { by: 'admin', method: 'PUT', path: '/control/v1/issuers', body: ISSUER },
  { by: 'admin', method: 'POST', path: '/control/v1/uploads', body: { max_bytes: 10 } },
  { by: 'admin', method: 'POST', path: '/control/v1/models/fuzz-model/versions', body: PUSH },
  { by: 'admin', method: 'PUT', path: '/control/v1/models/row-sum/stable', body: { version: '1' } },
];

/** JSON of a valid value in which something was put, at some place, in place of what was there. */
export function mutated(root: unknown): fc.Arbitrary<string> {
  return fc
    .tuple(fc.array(fc.nat(20), { maxLength: 5 }), fc.oneof(fc.jsonValue(), awkward), fc.boolean())
    .map(([way, value, drops]) => JSON.stringify(replaceAt(root, way, drops ? undefined : value)) ?? '');
}

/** Values that look like what is asked for. */
const awkward = fc.constantFrom<unknown>(
  -1,
  0,
  1.5,
  2 ** 53,
  1e308,
  '',
  '\0',
  '\ud800',
  'x'.repeat(300),
  '9'.repeat(30),
  [],
  [[]],
  {},
  null,
  true,
  new Array(300).fill(0),
);

/** A copy with another value, or none, at the end of the way; the way names members by their place. */
function replaceAt(root: unknown, way: readonly number[], value: unknown): unknown {
  const [step, ...rest] = way;
  if (step === undefined || typeof root !== 'object' || root === null) return value;
  const keys = Object.keys(root);
  const key = keys[step % Math.max(1, keys.length)] ?? 'added';
  const copy: Record<string, unknown> = Array.isArray(root) ? ([...root] as never) : { ...root };
  copy[key] = replaceAt(copy[key], rest, value);
  return copy;
}
