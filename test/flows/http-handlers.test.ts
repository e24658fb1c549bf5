import { readFile } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Failure } from '../../core/failure.ts';
import type { InferAnswer } from '../../core/inference/request.ts';
import type { Principal, Role } from '../../core/tenancy/principal.ts';
import { MIB } from '../../core/units.ts';
import { openTestHost, type TestHost } from '../support/http-host.ts';

const INFER = '/v2/models/row-sum/infer';
const BODY = '{"id":"42","inputs":[{"name":"x","shape":[1],"datatype":"FP32","data":[1]}]}';
const SECRET = 'a'.repeat(64);
const keyOf = (region: string, id: string) => ({ Authorization: `Bearer slk_${region}_${id}_${SECRET}` });

const ACME = principal('acme', 'tenant-user');
const ACME_ADMIN = principal('acme', 'tenant-admin');
const OPERATOR = principal(undefined, 'operator');

let host: TestHost;

beforeEach(async () => {
  host = await openTestHost(['https://console.example']);
  await host.addTenant('acme', ['https://acme.example']);
  await host.addForeignTenant('refused', 'refuse');
  await host.addForeignTenant('redirected', 'redirect');
  await host.addForeignTenant('forwarded', 'forward');
});

afterEach(() => host.close());

function principal(tenant: string | undefined, role: Role): Principal {
  return { id: `key:${tenant ?? 'op'}`, tenant, role, models: undefined, user: undefined };
}

function answer(change: Partial<Extract<InferAnswer, { kind: 'answered' }>> = {}): InferAnswer {
  const outputs = [{ name: 'sum', datatype: 'FP32' as const, shape: [1], data: new Float32Array([10]) }];
  const outcome = {
    kind: 'succeeded',
    version: '3',
    outputs,
    computeMs: 1,
    queueMs: 0,
    batchRows: 1,
    endedAtMs: 0,
  } as const;
  return {
    kind: 'answered',
    id: 'pred_1',
    model: 'row-sum',
    clientId: '42',
    version: '3',
    outcome,
    replayed: false,
    ...change,
  };
}

const problemOf = ({ text }: { readonly text: string }) => JSON.parse(text) as Record<string, unknown>;

describe('order', () => {
  test('the region is found before anybody is asked who they are', async () => {
    const { status } = await host.call('POST', INFER, { headers: keyOf('eu', 'refused.00000000'), body: 'not json' });
    expect(status).toBe(421);
  });

  test('who asks comes before what they may, that before the rate, and the rate before the body', async () => {
    host.takeRequest = () => {
      throw new Failure('quota-exceeded', { violatedPolicy: 'requests', limit: 5, windowS: 1, remaining: 0 });
    };
    const codes = [];
    for (const as of [undefined, principal('acme', 'tenant-user')]) {
      codes.push(problemOf(await host.call('POST', INFER, { ...(as && { as }), body: 'not json' })).code);
    }
    expect(codes).toEqual(['credentials-missing', 'quota-exceeded']);
    const control = await host.call('POST', '/control/v1/tenants', { as: ACME, body: 'not json' });
    expect(problemOf(control)).toMatchObject({ code: 'forbidden', required_role: 'operator' });
  });

  test('a refusal of the host is answered before anything else, with all headers', async () => {
    const refusal = new Failure('body-too-large', { limitBytes: 1 });
    const { status, headers, text } = await host.call('POST', INFER, { invocation: { refusal } });
    expect([status, headers['Sluice-Region'], headers['Sluice-Request-Id']]).toEqual([413, 'us', 'req_1']);
    expect(problemOf({ text })).toMatchObject({ limit_bytes: 1, error: expect.stringContaining('body-too-large') });
  });
});

describe('the rate', () => {
  test('is told on every answer of the data plane to a caller, failures too, and on no other', async () => {
    const paths = [INFER, '/v2/models', '/v2/models/no-such-model'];
    for (const path of paths) {
      const { headers } = await host.call(path === INFER ? 'POST' : 'GET', path, { as: ACME, body: BODY });
      expect(headers).toMatchObject({ RateLimit: '"requests";r=399;t=1', 'RateLimit-Policy': '"requests";q=400;w=2' });
    }
    expect((await host.call('GET', '/v2/health/live')).headers).not.toHaveProperty('RateLimit');
    const control = await host.call('GET', '/control/v1/tenants/acme', { as: ACME_ADMIN });
    expect(control.headers).not.toHaveProperty('RateLimit');
  });

  test('that is used up is told as the policy that refused', async () => {
    host.takeRequest = async () => {
      throw new Failure('quota-exceeded', {
        violatedPolicy: 'requests',
        limit: 5,
        windowS: 1,
        remaining: 0,
        retryAfterMs: 1500,
      });
    };
    const { status, headers } = await host.call('GET', '/v2/models', { as: ACME });
    expect(status).toBe(429);
    expect(headers).toMatchObject({ RateLimit: '"requests";r=0;t=2', 'Retry-After': '2' });
  });
});

describe('tenants', () => {
  test('touch their own alone, and cannot tell whether another exists', async () => {
    await host.addTenant('initech');
    for (const other of ['initech', 'no-such-tenant']) {
      const { status, text } = await host.call('GET', `/control/v1/tenants/${other}`, { as: ACME_ADMIN });
      expect([status, problemOf({ text }).code]).toEqual([403, 'forbidden']);
    }
    expect((await host.call('GET', '/control/v1/tenants/acme', { as: ACME_ADMIN })).status).toBe(200);
    expect((await host.call('GET', '/control/v1/tenants/acme', { as: ACME })).status).toBe(403);
  });

  test('are named by operators in a header on the data plane, and by nobody else', async () => {
    host.infer = async () => answer();
    const infer = (as: Principal, tenant?: string) =>
      host.call('POST', INFER, { as, body: BODY, headers: tenant === undefined ? {} : { 'sluice-TENANT': tenant } });
    expect((await infer(OPERATOR, 'acme')).status).toBe(200);
    expect(host.inferred[0]!.caller.tenant.id).toBe('acme');
    expect(problemOf(await infer(OPERATOR))).toMatchObject({ code: 'header-invalid', field: 'Sluice-Tenant' });
    expect(problemOf(await infer(OPERATOR, '../acme'))).toMatchObject({ code: 'header-invalid' });
    expect(problemOf(await infer(OPERATOR, 'nobody'))).toMatchObject({ code: 'tenant-unknown' });
    expect(problemOf(await infer(ACME, 'initech'))).toMatchObject({ code: 'forbidden' });
    expect((await infer(ACME, 'acme')).status).toBe(200);
  });
});

describe('another region’s tenant', () => {
  test('is sent home with 421 by default, by redirect where it opted in', async () => {
    const refused = await host.call('POST', INFER, { headers: keyOf('eu', 'refused.00000000') });
    expect(problemOf(refused)).toMatchObject({ code: 'wrong-region', home_region: 'eu', home_url: 'http://eu.test' });
    const redirected = await host.call('GET', '/v2/models?limit=5&cursor=a%26b', {
      headers: keyOf('eu', 'redirected.00000000'),
    });
    expect([redirected.status, redirected.headers.Location]).toEqual([
      307,
      'http://eu.test/v2/models?limit=5&cursor=a%26b',
    ]);
    expect(redirected.headers['Sluice-Region']).toBe('us');
  });

  test('is carried there and back unchanged where it opted in to forwarding, text and bytes alike', async () => {
    async function* body() {
      yield Buffer.from('made ');
      yield Buffer.from('in eu');
    }
    host.forward = async () => ({ status: 201, headers: { 'sluice-region': 'eu', 'x-own': '1' }, body: body() });
    const headers = { ...keyOf('eu', 'forwarded.00000000'), 'X-Mine': 'kept' };
    const bytes = { text: Buffer.from([0, 255, 7]).toString('base64'), isBase64: true };
    const carried = await host.call('POST', `${INFER}?a=1`, { headers, body: bytes });
    expect(carried).toEqual({ status: 201, headers: { 'sluice-region': 'eu', 'x-own': '1' }, text: 'made in eu' });
    expect(host.forwarded[0]).toMatchObject({ method: 'POST', url: `http://eu.test${INFER}?a=1`, headers });
    expect(host.forwarded[0]!.headers).toMatchObject({ 'Sluice-Forwarded': '1' });
    expect([...host.forwarded[0]!.body!]).toEqual([0, 255, 7]);
    await host.call('POST', INFER, { headers, body: '{"ü":1}' });
    expect(new TextDecoder().decode(host.forwarded[1]!.body)).toBe('{"ü":1}');
  });

  test('is not forwarded twice, and a home that is down is a clear 503', async () => {
    const headers = keyOf('eu', 'forwarded.00000000');
    const second = await host.call('POST', INFER, { headers: { ...headers, 'sluice-forwarded': '1' } });
    expect([second.status, host.forwarded.length]).toEqual([421, 0]);
    const down = await host.call('POST', INFER, { headers });
    expect([down.status, problemOf(down).code, down.headers['Retry-After']]).toEqual([503, 'region-unavailable', '1']);
  });

  test('is sent home by its verified token too, from the data plane and from the control plane', async () => {
    const as = principal('redirected', 'tenant-admin');
    expect((await host.call('POST', INFER, { as, body: BODY })).headers.Location).toBe(`http://eu.test${INFER}`);
    const path = '/control/v1/tenants/redirected';
    expect((await host.call('GET', path, { as })).headers.Location).toBe(`http://eu.test${path}`);
  });

  test('named by an operator is refused whatever its policy: its credentials stay here', async () => {
    const path = '/control/v1/tenants/forwarded';
    const refused = await host.call('GET', path, { as: OPERATOR });
    expect([refused.status, problemOf(refused).home_region, host.forwarded.length]).toEqual([421, 'eu', 0]);
  });

  test('leaves no trace of who it was in the log', async () => {
    await host.call('POST', INFER, { headers: keyOf('eu', 'forwarded.00000000') });
    await host.call('POST', INFER, { as: principal('redirected', 'tenant-user') });
    await host.call('POST', INFER, { as: principal('refused', 'tenant-user') });
    const lines = host.local.logged.filter((line) => line.includes('"message":"request"'));
    expect(lines).toHaveLength(3);
    for (const line of lines) {
      expect(line).toContain('"home_region":"eu"');
      expect(line).not.toMatch(/forwarded|redirected|refused|tenant|principal/);
    }
  });

  test('is not who a key pretends: a made-up region, or this region’s tenant under another’s prefix, is no key', async () => {
    expect((await host.call('POST', INFER, { headers: keyOf('mars', 'acme.00000000') })).status).toBe(401);
    expect((await host.call('POST', INFER, { headers: keyOf('eu', 'acme.00000000') })).status).toBe(401);
    expect((await host.call('POST', INFER, { headers: keyOf('eu', '00000000') })).status).toBe(421);
  });
});

describe('browsers', () => {
  const allowed = async (origin: string, as?: Principal) => {
    const { headers } = await host.call('GET', '/v2/models', { headers: { Origin: origin }, ...(as && { as }) });
    expect(headers.Vary).toBe('Origin');
    expect(headers).not.toHaveProperty('Access-Control-Allow-Credentials');
    return headers['Access-Control-Allow-Origin'];
  };

  test('read a tenant’s answers from the origins that were configured, and from the tenant’s own', async () => {
    expect(await allowed('https://console.example', ACME)).toBe('https://console.example');
    expect(await allowed('https://acme.example', ACME)).toBe('https://acme.example');
    expect(await allowed('https://evil.example', ACME)).toBeUndefined();
    await host.addTenant('initech');
    expect(await allowed('https://acme.example', principal('initech', 'tenant-user'))).toBeUndefined();
  });

  test('read that they are not signed in from anywhere, as that says nothing of anybody', async () => {
    expect(await allowed('https://evil.example')).toBe('https://evil.example');
  });

  test('may read every header that clients need', async () => {
    const { headers } = await host.call('GET', '/v2/models', { as: ACME, headers: { origin: 'https://acme.example' } });
    expect(headers['Access-Control-Expose-Headers']?.split(', ')).toEqual(
      expect.arrayContaining(['Location', 'Retry-After', 'RateLimit', 'RateLimit-Policy', 'Preference-Applied']),
    );
  });
});

describe('infer', () => {
  test('answers JSON with the version, whatever the case of headers and with no content type', async () => {
    host.infer = async () => answer();
    const headers = {
      PREFER: 'wait=60',
      'idempotency-KEY': '"k1"',
      TraceParent: `00-${'1'.repeat(32)}-${'2'.repeat(16)}-01`,
    };
    const { status, headers: got, text } = await host.call('POST', INFER, { as: ACME, headers, body: BODY });
    expect([status, problemOf({ text })]).toEqual([
      200,
      {
        model_name: 'row-sum',
        model_version: '3',
        id: '42',
        outputs: [{ name: 'sum', datatype: 'FP32', shape: [1], data: [10] }],
      },
    ]);
    expect(got).toMatchObject({
      'Content-Type': 'application/json',
      'Sluice-Model-Version': '3',
      'Sluice-Cache': 'none',
      'Preference-Applied': 'wait=25',
    });
    expect(host.inferred[0]).toMatchObject({
      model: 'row-sum',
      version: undefined,
      idempotencyKey: 'k1',
      prefer: { respondAsync: false, waitMs: 60_000 },
      traceparent: `00-${'1'.repeat(32)}-${'2'.repeat(16)}-01`,
    });
  });

  test('takes and gives the binary extension, and JSON in base64 as API Gateway sends it', async () => {
    host.infer = async () => answer();
    const json =
      '{"inputs":[{"name":"x","shape":[1],"datatype":"FP32","parameters":{"binary_data_size":4}}],"parameters":{"binary_data_output":true}}';
    const bytes = Buffer.concat([Buffer.from(json), Buffer.from(new Float32Array([2.5]).buffer)]);
    const { headers, text } = await host.call('POST', INFER, {
      as: ACME,
      headers: { 'inference-header-content-length': String(json.length) },
      body: { text: bytes.toString('base64'), isBase64: true },
    });
    expect([...(host.inferred[0]!.request.inputs[0]!.data as Float32Array)]).toEqual([2.5]);
    expect(headers['Content-Type']).toBe('application/octet-stream');
    const length = Number(headers['Inference-Header-Content-Length']);
    expect(problemOf({ text: text.slice(0, length) })).toMatchObject({
      outputs: [{ parameters: { binary_data_size: 4 } }],
    });
    const body = { text: Buffer.from(BODY).toString('base64'), isBase64: true };
    expect((await host.call('POST', INFER, { as: ACME, body })).status).toBe(200);
    const broken = { text: Buffer.from([0x7b, 0xff]).toString('base64'), isBase64: true };
    expect(problemOf(await host.call('POST', INFER, { as: ACME, body: broken })).code).toBe('json-invalid');
  });

  test('accepted is 202 with the place to ask and when', async () => {
    host.infer = async () => ({ kind: 'accepted', id: 'pred_1', version: '3', retryAfterMs: 1200 });
    const headers = { prefer: 'respond-async, wait=2' };
    const { status, headers: got, text } = await host.call('POST', INFER, { as: ACME, headers, body: BODY });
    expect([status, problemOf({ text })]).toEqual([202, { id: 'pred_1', state: 'pending', model_version: '3' }]);
    expect(got).toMatchObject({
      Location: '/v2/predictions/pred_1',
      'Retry-After': '2',
      'Preference-Applied': 'respond-async, wait=2',
    });
  });

  test('a replay says so', async () => {
    host.infer = async () => answer({ replayed: true });
    expect((await host.call('POST', INFER, { as: ACME, body: BODY })).headers['Sluice-Replayed']).toBe('true');
  });

  test('bodies over the limit or encoded are refused in every form', async () => {
    const large = 'é'.repeat(2 * MIB + 1);
    expect((await host.call('POST', INFER, { as: ACME, body: large })).status).toBe(413);
    const base64 = { text: Buffer.alloc(4 * MIB + 1).toString('base64'), isBase64: true };
    expect((await host.call('POST', INFER, { as: ACME, body: base64 })).status).toBe(413);
    const gzip = await host.call('POST', INFER, { as: ACME, body: BODY, headers: { 'Content-Encoding': 'gzip' } });
    expect(problemOf(gzip).code).toBe('content-encoding-unsupported');
  });
});

test('the server says which version it is: the one in package.json', async () => {
  const { version } = JSON.parse(await readFile(new URL('../../package.json', import.meta.url), 'utf8'));
  const { text } = await host.call('GET', '/v2');
  expect(problemOf({ text })).toMatchObject({ name: 'sluice', version });
});

describe('what breaks on our side', () => {
  test('is told by its request id alone, and logged with its cause but not with its words', async () => {
    host.infer = () => Promise.reject(new Error('row says: Anna owes 5 pounds'));
    const { status, text } = await host.call('POST', INFER, { as: ACME, body: BODY });
    expect([status, problemOf({ text })]).toMatchObject([500, { code: 'internal', request_id: 'req_1' }]);
    const logged = host.local.logged.join('\n');
    expect(logged).toContain('"message":"request broke"');
    for (const words of [text, logged]) expect(words).not.toContain('Anna');
  });
});
