import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ensureCanary } from '../../core/tenancy/canary.ts';
import { type Cloud, startCloud } from '../support/aws/cloud.ts';
import { DeployedPlatform } from '../support/aws/deployed-platform.ts';
import { idLookup } from '../support/bad-models.ts';
import { echoText } from '../support/echo-models.ts';
import { type Answer, type Call, fourOf, inferPath, type JsonTensor, texts } from '../support/http-client.ts';
import type { PlatformUnderTest } from '../support/platform-under-test.ts';
import { withManifest } from '../support/push-model.ts';
import { startRunning } from '../support/running-platform.ts';

type Who = 'user' | 'admin' | 'operator' | 'nobody' | 'stranger' | 'scoped' | 'suspended';
type Asked = { readonly who?: Who; readonly method: string; readonly path: string; readonly call?: Call };
type Host = {
  readonly platform: PlatformUnderTest;
  readonly callers: Readonly<Record<Who, string | undefined>>;
  /** Place of the last prediction that was accepted. */
  place: string;
};

const CACHED = withManifest(echoText('cached'), { cache: { seconds: 3600 } });
const ids = (...data: number[]): JsonTensor[] => [{ name: 'ids', shape: [1, data.length], datatype: 'INT64', data }];
const ROW_SUM = inferPath('row-sum');

let cloud: Cloud;
let hosts: { readonly embedded: Host; readonly deployed: Host };

beforeAll(async () => {
  cloud = await startCloud();
  const options = { models: ['row-sum', 'ticket-sentiment', CACHED, idLookup()] as const, runners: 1 };
  const corsOrigins = ['https://app.example'];
  const embedded = startRunning({ ...options, corsOrigins });
  const deployed = DeployedPlatform.start(cloud, { ...options, corsOrigins });
  hosts = { embedded: await prepare(await embedded), deployed: await prepare(await deployed) };
}, 120_000);

afterAll(async () => {
  await Promise.all(Object.values(hosts ?? {}).map(({ platform }) => platform.end()));
  await cloud?.stop();
});

/** The same tenants and credentials in both. */
async function prepare(platform: PlatformUnderTest): Promise<Host> {
  // A deployment always has it, one machine where it checks itself.
  await ensureCanary(platform.region().platform, 'us', async (make) => make());
  const admin = await platform.addTenant('acme', { allowedOrigins: ['https://acme.example'] });
  const suspended = await platform.addTenant('late');
  await platform.changeTenant('late', { suspended: true });
  const callers = {
    admin: admin.key,
    user: (await platform.addKey('acme')).key,
    scoped: (await platform.addKey('acme', { models: ['row-sum'] })).key,
    stranger: (await platform.addTenant('initech')).key,
    operator: (await platform.addKey(undefined)).key,
    suspended: suspended.key,
    nobody: undefined,
  };
  return { platform, callers, place: '' };
}

/** What the transport adds, or what names one exchange alone. */
const OF_TRANSPORT = ['connection', 'content-length', 'date', 'keep-alive', 'transfer-encoding'];
const OF_GATEWAY = ['x-amz-apigw-id', 'x-amzn-requestid'];

/** What of an answer has to be the same: ids, times and secrets have their shape alone. */
function essence(answer: Answer) {
  const headers = new Map<string, string>();
  for (const [name, value] of answer.headers) {
    if (OF_TRANSPORT.includes(name) || OF_GATEWAY.includes(name)) continue;
    headers.set(name.replace(/^x-amzn-remapped-/, ''), shapeOf(name, value));
  }
  const isJson = /json$/.test(answer.header('content-type') ?? '') && answer.bytes.length > 0;
  const body: unknown = isJson ? JSON.parse(answer.text, shapeOf) : [...answer.bytes];
  return { status: answer.status, headers: Object.fromEntries([...headers].sort()), body };
}

function shapeOf<T>(name: string, value: T): T | string {
  if (/_at_ms$/.test(name) && typeof value === 'number') return 'a time';
  if (/^(memory_bytes|row_ms)$/.test(name)) return 'a measurement';
  if (typeof value !== 'string') return value;
  if (/^(request_id|sluice-request-id)$/.test(name)) return 'an id';
  if (name === 'ratelimit') return value.replace(/\d+/g, 'n');
  return value
    .replace(/\bslk_[\w.]+/g, 'a key')
    .replace(/\bwhsec_[\w+/=]+/g, 'a secret')
    .replace(/\beyJ[\w-]+\.[\w-]+\.[\w-]+/g, 'a token')
    .replace(/\bpred_[0-9a-f]{32}/g, 'a prediction')
    .replace(/\b(acme|initech|new-tenant|operator)\.[0-9a-f]{8}\b/g, '$1.key')
    .replace(/\b(wh|dlv|upl)_[0-9a-zA-Z]+/g, '$1_id')
    .replace(/http:\/\/127\.0\.0\.1:\d+/g, 'http://here');
}

async function ask(host: Host, { who = 'user', method, path, call }: Asked): Promise<Answer> {
  const client = host.platform.client(host.callers[who]);
  const answer = await client.send(method, path.replace('{place}', host.place), call);
  if (answer.status === 202) host.place = answer.header('location')!;
  return answer;
}

async function both(asked: Asked): Promise<[embedded: Answer, deployed: Answer]> {
  return Promise.all([ask(hosts.embedded, asked), ask(hosts.deployed, asked)]);
}

const get = (path: string, rest: Partial<Asked> = {}): Asked => ({ method: 'GET', path, ...rest });
const post = (path: string, body: unknown, headers: Record<string, string> = {}, rest: Partial<Asked> = {}): Asked => ({
  method: 'POST',
  path,
  call: { body, headers },
  ...rest,
});
const infer = (inputs: unknown, members: object = {}, headers: Record<string, string> = {}, model = 'row-sum') =>
  post(inferPath(model), { inputs, ...members }, headers);

function binary(data: Float32Array<ArrayBuffer>, length?: number): Asked {
  const input = { name: 'x', shape: [1, 4], datatype: 'FP32', parameters: { binary_data_size: data.byteLength } };
  const json = Buffer.from(JSON.stringify({ id: 'n', inputs: [input], parameters: { binary_data_output: true } }));
  const headers = { 'Inference-Header-Content-Length': String(length ?? json.length) };
  return post(ROW_SUM, Buffer.concat([json, Buffer.from(data.buffer)]), headers);
}

const CONTROL = '/control/v1';
const AS_ADMIN = { who: 'admin' } as const;
const AS_OPERATOR = { who: 'operator' } as const;

/** In this order, as later ones ask for what earlier ones made. */
const REQUESTS: readonly (readonly [string, Asked])[] = [
  ['server metadata', get('/v2')],
  ['liveness, of nobody', get('/v2/health/live', { who: 'nobody' })],
  ['readiness', get('/v2/health/ready')],
  ['models', get('/v2/models')],
  ['models of a key with a scope', get('/v2/models', { who: 'scoped' })],
  ['models in pages', get('/v2/models?limit=1')],
  ['a page that is no number', get('/v2/models?limit=x')],
  ['metadata', get('/v2/models/ticket-sentiment')],
  ['metadata of a version', get('/v2/models/row-sum/versions/1')],
  ['metadata of none', get('/v2/models/nothing')],
  ['a version that is not there', get('/v2/models/row-sum/versions/7')],
  ['a name in percent', get('/v2/models/row%2Dsum')],
  ['a name with a slash in percent', get('/v2/models/row%2Fsum')],
  ['a prediction', infer(fourOf(2), { id: 'mine ☂' })],
  ['a prediction with an output asked for', infer(fourOf(2), { id: 'b', outputs: [{ name: 'sum' }] })],
  ['a prediction of a version', post(inferPath('row-sum', '1'), { id: 'c', inputs: fourOf(3) })],
  ['a prediction of text', infer(texts('text', 'fine', 'so bad'), { id: 'd' }, {}, 'ticket-sentiment')],
  ['a prediction in binary', binary(Float32Array.of(1, 2, 3, 4))],
  ['a binary head that is too long', binary(Float32Array.of(1, 2, 3, 4), 4000)],
  ['a prediction without Content-Type', post(ROW_SUM, Buffer.from(JSON.stringify({ id: 'e', inputs: fourOf(1) })))],
  ['a traced prediction', infer(fourOf(1), { id: 'f' }, { traceparent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01` })],
  ['a miss', infer(texts('text', 'again'), { id: 'g' }, {}, 'cached')],
  ['a hit', infer(texts('text', 'again'), { id: 'g' }, {}, 'cached')],
  ['a cache passed by', infer(texts('text', 'again'), { id: 'g' }, { 'Cache-Control': 'no-store' }, 'cached')],
  ['a keyed prediction', infer(fourOf(4), { id: 'h' }, { 'Idempotency-Key': '"k-1"' })],
  ['its replay', infer(fourOf(4), { id: 'h' }, { 'Idempotency-Key': 'k-1' })],
  ['its key with another body', infer(fourOf(5), { id: 'h' }, { 'Idempotency-Key': 'k-1' })],
  ['a key that is none', infer(fourOf(5), {}, { 'Idempotency-Key': '""' })],
  ['an accepted prediction', infer(fourOf(6), { id: 'i' }, { Prefer: 'respond-async' })],
  ['its result', get('{place}', { call: { headers: { Prefer: 'wait=10' } } })],
  ['its cancelling, late', { method: 'DELETE', path: '{place}' }],
  ['its result, of a stranger', get('{place}', { who: 'stranger' })],
  ['a prediction that was never', get(`/v2/predictions/pred_${'0'.repeat(32)}`)],
  ['an id that is none', get('/v2/predictions/nothing')],
  ['a failing prediction', infer(ids(11), { id: 'j' }, {}, 'id-lookup')],
  ['no credentials', { ...infer(fourOf(1)), who: 'nobody' }],
  ['a key that is none', get('/v2/models', { who: 'nobody', call: { headers: { authorization: 'Bearer nonsense' } } })],
  ['a scheme that is none', get('/v2/models', { who: 'nobody', call: { headers: { authorization: 'Basic abc' } } })],
  ['a suspended tenant', { ...infer(fourOf(1)), who: 'suspended' }],
  ['a model out of scope', { ...infer(texts('text', 'x'), {}, {}, 'ticket-sentiment'), who: 'scoped' }],
  ['an operator for a tenant', { ...infer(fourOf(1), { id: 'k' }, { 'Sluice-Tenant': 'acme' }), ...AS_OPERATOR }],
  ['an operator for nobody', { ...infer(fourOf(1)), ...AS_OPERATOR }],
  ['a body that is no JSON', post(ROW_SUM, '{')],
  ['a body that is not UTF-8', post(ROW_SUM, new Uint8Array([0x7b, 0xff, 0x7d]))],
  ['no body', { method: 'POST', path: ROW_SUM }],
  ['no inputs', post(ROW_SUM, {})],
  ['an unknown input', infer([{ ...fourOf(1)[0], name: 'y' }])],
  ['an unknown member', infer(fourOf(1), { colour: 'red' })],
  ['a wrong datatype', infer([{ ...fourOf(1)[0], datatype: 'INT64' }])],
  ['a wrong shape', infer([{ ...fourOf(1)[0], shape: [1, 5] }])],
  ['too few elements', infer([{ ...fourOf(1)[0], data: [1] }])],
  ['too many rows', infer([{ name: 'x', shape: [300, 4], datatype: 'FP32', data: new Array(1200).fill(1) }])],
  ['a compressed body', infer(fourOf(1), {}, { 'Content-Encoding': 'gzip' })],
  ['a preference that is none', infer(fourOf(1), { id: 'l' }, { Prefer: 'handling=strict, foo' })],
  ['a wait that is no number', infer(fourOf(1), { id: 'm' }, { Prefer: 'wait=soon' })],
  ['a time that is no number', infer(fourOf(1), { parameters: { timeout_ms: 'x' } })],
  ['no endpoint', get('/v2/nothing')],
  ['nothing', get('/')],
  ['a path on the way', get('/v2/predictions')],
  ['a path below one', get('/v2/models/row-sum/infer/more')],
  ['a method that the path does not have', { method: 'DELETE', path: '/v2/models' }],
  ['a method that nobody has', { method: 'PATCH', path: ROW_SUM }],
  ['HEAD', { method: 'HEAD', path: '/v2/models/row-sum' }],
  ['HEAD of what is not there', { method: 'HEAD', path: '/v2/models/nothing' }],
  ['HEAD in the control plane', { method: 'HEAD', path: `${CONTROL}/tenants/acme`, ...AS_ADMIN }],
  ['a preflight', { method: 'OPTIONS', path: ROW_SUM, call: { headers: { origin: 'https://app.example' } } }],
  [
    'a preflight of nothing',
    { method: 'OPTIONS', path: '/nothing', call: { headers: { origin: 'https://x.example' } } },
  ],
  ['an origin of the deployment', get('/v2/models', { call: { headers: { origin: 'https://app.example' } } })],
  ['an origin of the tenant', get('/v2/models', { call: { headers: { origin: 'https://acme.example' } } })],
  ['an origin of nobody', get('/v2/models', { call: { headers: { origin: 'https://evil.example' } } })],
  ['the description', get('/openapi.json', { who: 'nobody' })],
  ['a tenant', get(`${CONTROL}/tenants/acme`, AS_ADMIN)],
  ['another tenant', get(`${CONTROL}/tenants/initech`, AS_ADMIN)],
  ['a tenant that is none', get(`${CONTROL}/tenants/nobody`, AS_OPERATOR)],
  ['tenants', get(`${CONTROL}/tenants?limit=2`, AS_OPERATOR)],
  ['tenants, of a user', get(`${CONTROL}/tenants`)],
  ['a new tenant', post(`${CONTROL}/tenants`, { id: 'new-tenant', name: 'New', plan: 'pro' }, {}, AS_OPERATOR)],
  ['the same again', post(`${CONTROL}/tenants`, { id: 'new-tenant', name: 'New', plan: 'pro' }, {}, AS_OPERATOR)],
  ['a tenant without a plan', post(`${CONTROL}/tenants`, { id: 'x', name: 'X' }, {}, AS_OPERATOR)],
  [
    'a change',
    { method: 'PATCH', path: `${CONTROL}/tenants/new-tenant`, call: { body: { name: 'N', epoch: 1 } }, ...AS_OPERATOR },
  ],
  [
    'a change that comes late',
    { method: 'PATCH', path: `${CONTROL}/tenants/new-tenant`, call: { body: { name: 'M', epoch: 1 } }, ...AS_OPERATOR },
  ],
  ['a new key', post(`${CONTROL}/tenants/acme/keys`, { role: 'tenant-user', label: 'app' }, {}, AS_ADMIN)],
  ['a key of a role too high', post(`${CONTROL}/tenants/acme/keys`, { role: 'operator', label: 'app' }, {}, AS_ADMIN)],
  ['a browser token', post(`${CONTROL}/tenants/acme/browser-tokens`, { user: 'ann' }, {}, AS_ADMIN)],
  ['plans', get(`${CONTROL}/plans`, AS_OPERATOR)],
  ['issuers', get(`${CONTROL}/issuers`, { who: 'operator' })],
  ['versions', get(`${CONTROL}/models/row-sum/versions`, AS_OPERATOR)],
  ['validations', get(`${CONTROL}/models/row-sum/validations`, AS_OPERATOR)],
  ['a push of nothing', post(`${CONTROL}/models/row-sum/versions`, {}, {}, AS_OPERATOR)],
  ['webhooks', get(`${CONTROL}/tenants/acme/webhooks`, AS_ADMIN)],
  ['a webhook that is none', get(`${CONTROL}/tenants/acme/webhooks/nothing`, AS_ADMIN)],
  ['a removed tenant', { method: 'DELETE', path: `${CONTROL}/tenants/new-tenant`, ...AS_OPERATOR }],
];

/** Without a type a gateway says that an answer is JSON, also of one without a body. */
const UNTYPED = new Set(['a preflight', 'a removed tenant']);

describe('deployed and on one machine the answer is the same', () => {
  test.each(REQUESTS)('%s', async (name, asked) => {
    const [embedded, deployed] = (await both(asked)).map(essence) as [
      ReturnType<typeof essence>,
      ReturnType<typeof essence>,
    ];
    if (UNTYPED.has(name)) embedded.headers['content-type'] ??= 'application/json';
    expect(deployed).toEqual(embedded);
  });

  test('no two requests of this list were answered by the gateway itself, nor by a function that broke', () => {
    const { gateway, failures } = (hosts.deployed.platform as DeployedPlatform).region().deployed;
    expect([gateway.own, failures]).toEqual([[], []]);
  });
});

describe('what differs, as it must', () => {
  test('WWW-Authenticate has another name behind API Gateway', async () => {
    const [embedded, deployed] = await both(get('/v2/models', { who: 'nobody' }));
    expect([embedded.header('www-authenticate'), deployed.header('www-authenticate')]).toEqual(['Bearer', undefined]);
    expect(deployed.header('x-amzn-remapped-www-authenticate')).toBe('Bearer');
  });

  test('a path that is no UTF-8 comes back in problems as API Gateway hands it over', async () => {
    const [embedded, deployed] = await both(get('/v2/models/%FF'));
    expect([embedded.status, deployed.status]).toEqual([404, 404]);
    expect([embedded.json().instance, deployed.json().instance]).toEqual(['/v2/models/%FF', '/v2/models/%25FF']);
  });

  test('a body of more than 4 MiB takes a unit of the request rate, as the function sees it only whole', async () => {
    const [embedded, deployed] = await both(post(ROW_SUM, new Uint8Array(4 * 1024 * 1024 + 1)));
    const { ratelimit, 'ratelimit-policy': policy, ...headers } = essence(deployed).headers;
    expect([ratelimit, policy]).toEqual(['"requests";r=n;t=n', '"requests";q=4000;w=2']);
    expect({ ...essence(deployed), headers }).toEqual(essence(embedded));
  });

  test('a slash at the end is looked over by API Gateway', async () => {
    const [embedded, deployed] = await both(get('/v2/models/'));
    expect([embedded.status, deployed.status]).toEqual([404, 200]);
  });

  test('an upload goes to S3 itself', async () => {
    const asked = post(`${CONTROL}/uploads`, { max_bytes: 100 }, {}, AS_OPERATOR);
    const [embedded, deployed] = await both(asked);
    expect([embedded.status, deployed.status]).toEqual([201, 201]);
    expect(embedded.json().url).toMatch(/^\/uploads\//);
    expect(deployed.json().url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/.*X-Amz-Signature=/);
  });

  test('a body that is too large for a function is refused by the gateway, which knows nothing of the request', async () => {
    const [embedded, deployed] = await both(post(ROW_SUM, new Uint8Array(5 * 1024 * 1024)));
    expect([embedded.status, deployed.status]).toEqual([413, 413]);
    expect(embedded.json()).toMatchObject({ code: 'body-too-large', instance: ROW_SUM });
    expect(deployed.json()).toMatchObject({
      code: 'body-too-large',
      instance: expect.stringMatching(/^urn:sluice:request:/),
    });
  });
});
