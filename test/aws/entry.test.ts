import type { APIGatewayProxyEvent, APIGatewayProxyResult } from 'aws-lambda';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { HTTP_FUNCTIONS, type HttpFunction } from '../../adapters/aws/environment.ts';
import { ROUTES } from '../../core/api/routes.ts';
import { MIB } from '../../core/units.ts';
import { type Cloud, startCloud } from '../support/aws/cloud.ts';
import { DeployedRegion, operatorSecret } from '../support/aws/deployed-region.ts';
import { LambdaFunction } from '../support/aws/lambda-function.ts';

const REGIONS = { us: 'http://us.test', eu: 'http://eu.test' };
/** Of Lambda: 6 MB an invocation. */
const MOST_EVENT_BYTES = 6_291_556;

let cloud: Cloud;
let region: DeployedRegion;
const logLines: string[] = [];
beforeAll(async () => {
  cloud = await startCloud();
  const directoryTable = await cloud.dynamo.createTable();
  const options = { cloud, region: 'us', directoryTable, runners: 1, workers: 0, logLines, scheduled: [] };
  region = await DeployedRegion.create(options);
  setSettings({ regionUrls: REGIONS, corsOrigins: [], logLevel: 'info' });
}, 120_000);
afterAll(async () => {
  await region.stop(true);
  await cloud.stop();
});

function setSettings(settings: unknown): void {
  const text = typeof settings === 'string' ? settings : JSON.stringify(settings);
  cloud.ssm.parameters.set(region.variables.SLUICE_SETTINGS_PARAMETER, text);
}

function adminKey(): string {
  return cloud.secrets.read(operatorSecret(region.variables))!;
}

type Asked = Partial<Pick<APIGatewayProxyEvent, 'headers' | 'pathParameters' | 'queryStringParameters'>> & {
  readonly body?: string | Buffer;
};

/** As API Gateway's REST proxy integration sends it, every media type being binary. */
function eventOf(method: string, resource: string, { body, headers = {}, ...rest }: Asked = {}): APIGatewayProxyEvent {
  const path = resource.replace(/\{(\w+)\+?\}/g, (_, name: string) => rest.pathParameters?.[name] ?? 'x');
  return {
    resource,
    path,
    httpMethod: method,
    headers,
    multiValueHeaders: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, [value ?? '']])),
    pathParameters: null,
    queryStringParameters: null,
    multiValueQueryStringParameters: null,
    stageVariables: null,
    requestContext: { requestId: 'req-1', stage: 'v1', path: `/v1${path}` } as APIGatewayProxyEvent['requestContext'],
    body: body === undefined ? null : Buffer.from(body).toString('base64'),
    isBase64Encoded: body !== undefined,
    ...rest,
  };
}

type Answered = { readonly status: number; readonly headers: Record<string, string>; readonly text: string };

async function ask(name: HttpFunction, event: APIGatewayProxyEvent): Promise<Answered> {
  const answer = await region.functions[name].invoke(event);
  if (answer.kind === 'failed') throw new Error(answer.error);
  if (answer.kind === 'answered') {
    const { statusCode, headers, body } = JSON.parse(answer.bytes.toString()) as APIGatewayProxyResult;
    return { status: statusCode, headers: headers as Record<string, string>, text: body };
  }
  const bytes = Buffer.concat(await Array.fromAsync(answer.body as AsyncIterable<Buffer>));
  const end = bytes.indexOf(Buffer.alloc(8));
  const head = JSON.parse(bytes.subarray(0, end).toString()) as { statusCode: number; headers: Record<string, string> };
  return { status: head.statusCode, headers: head.headers, text: bytes.subarray(end + 8).toString() };
}

function codeOf({ text }: Answered): string {
  return (JSON.parse(text) as { code: string }).code;
}

const asAdmin = () => ({ Authorization: `Bearer ${adminKey()}` });

test('setup puts in plans, a signing key and a key of an admin, once, however often and however many at once', async () => {
  await Promise.all([1, 2].map(() => region.functions.setup.run({})));
  const key = adminKey();
  const signing = cloud.secrets.read(region.variables.SLUICE_SIGNING_KEY_SECRET);
  expect(JSON.parse(signing!)).toMatchObject({ kty: 'EC', crv: 'P-256' });
  const again = await region.functions.setup.run({ RequestType: 'Update' });
  expect(again).toEqual({ PhysicalResourceId: 'test-us-setup' });
  expect(adminKey()).toBe(key);
  expect(cloud.secrets.read(region.variables.SLUICE_SIGNING_KEY_SECRET)).toBe(signing);
  const headers = asAdmin();
  const keys = await ask('control', eventOf('GET', '/control/v1/operator-keys', { headers }));
  expect(JSON.parse(keys.text).items).toMatchObject([{ role: 'admin', label: 'first' }]);
  const plans = await ask('control', eventOf('GET', '/control/v1/plans', { headers }));
  expect(JSON.parse(plans.text).items.map(({ id }: { id: string }) => id)).toEqual([
    'enterprise',
    'free',
    'pro',
    'sluice-canary',
  ]);
  expect(logLines.join('\n')).not.toContain(key);
});

test('a tenant is created, and its token is signed and accepted', async () => {
  const body = JSON.stringify({ id: 'acme', name: 'Acme', plan: 'pro' });
  const created = await ask('control', eventOf('POST', '/control/v1/tenants', { headers: asAdmin(), body }));
  expect(created.status, created.text).toBe(201);
  const pathParameters = { tenant: 'acme' };
  const asked = { headers: asAdmin(), pathParameters, body: JSON.stringify({ user: 'u1' }) };
  const token = await ask('control', eventOf('POST', '/control/v1/tenants/{tenant}/browser-tokens', asked));
  expect(token.status, token.text).toBe(201);
  const headers = { Authorization: `Bearer ${JSON.parse(token.text).token}` };
  const model = await ask(
    'catalogue',
    eventOf('GET', '/v2/models/{model}', { headers, pathParameters: { model: 'm' } }),
  );
  expect([model.status, codeOf(model)]).toEqual([404, 'model-unknown']);
});

test('the function that infers streams what it answers, and the one of the catalogue does not', async () => {
  const metadata = await ask('catalogue', eventOf('GET', '/v2'));
  expect(metadata).toMatchObject({ status: 200, headers: { 'Sluice-Region': 'us' } });
  const answer = await region.functions.infer.invoke(
    eventOf('POST', '/v2/models/{model}/infer', { pathParameters: { model: 'm' } }),
  );
  expect(answer.kind).toBe('streaming');
});

test('every function answers its own endpoints, and no others', async () => {
  for (const [name, ids] of Object.entries(HTTP_FUNCTIONS) as [HttpFunction, readonly string[]][]) {
    for (const { id, method, path } of ROUTES) {
      const names = [...path.matchAll(/\{(\w+)\}/g)].map(
        ([, parameter]) => [parameter!, EXAMPLES[parameter!]!] as const,
      );
      const answer = await ask(name, eventOf(method, path, { pathParameters: Object.fromEntries(names) }));
      const isUnknown = answer.status === 404 && codeOf(answer) === 'route-unknown';
      expect(isUnknown, `${method} ${path} of ${name}: ${answer.text}`).toBe(!ids.includes(id));
    }
  }
}, 60_000);

const EXAMPLES: Readonly<Record<string, string>> = {
  letter: `dl_${'0'.repeat(32)}`,
  model: 'm',
  version: '1',
  prediction: `pred_${'0'.repeat(32)}`,
  tenant: 'acme',
  plan: 'pro',
  key: '00000000',
  validation: `val_${'0'.repeat(32)}`,
  release: `rel_${'0'.repeat(32)}`,
  upload: 'upl',
  webhook: `wh_${'0'.repeat(16)}`,
  delivery: `msg_${'0'.repeat(32)}`,
};

test('what no endpoint takes is refused as on one machine: unknown paths, other methods, preflights, HEAD', async () => {
  const unknown = await ask('catalogue', eventOf('GET', '/{proxy+}', { pathParameters: { proxy: 'v3/none' } }));
  expect([unknown.status, codeOf(unknown)]).toEqual([404, 'route-unknown']);
  expect(JSON.parse(unknown.text).instance).toBe('/v3/none');
  const root = await ask('catalogue', eventOf('GET', '/'));
  expect([root.status, codeOf(root)]).toEqual([404, 'route-unknown']);
  const method = await ask('catalogue', eventOf('PATCH', '/v2/models/{model}', { pathParameters: { model: 'm' } }));
  expect([method.status, method.headers.Allow]).toEqual([405, 'GET, HEAD, OPTIONS']);
  const origin = { Origin: 'https://app.test' };
  const preflight = await ask(
    'catalogue',
    eventOf('OPTIONS', '/v2/models/{model}/infer', { headers: origin, pathParameters: { model: 'm' } }),
  );
  expect(preflight).toMatchObject({ status: 204, text: '' });
  expect(preflight.headers['Access-Control-Allow-Methods']).toBe('OPTIONS, POST');
  const head = await ask('catalogue', eventOf('HEAD', '/v2'));
  expect([head.status, head.text]).toEqual([200, '']);
  const streamed = await ask(
    'predictions',
    eventOf('HEAD', '/v2/predictions/{prediction}', { pathParameters: { prediction: 'x' } }),
  );
  expect([streamed.status, streamed.text]).toEqual([404, '']);
});

test('a stage or a base path before the path, and parameters that are not decoded, make no difference', async () => {
  const event = eventOf('GET', '/control/v1/tenants/{tenant}', {
    headers: asAdmin(),
    pathParameters: { tenant: 'ac%6De' },
  });
  const found = await ask('control', { ...event, path: '/base/v1/control/v1/tenants/ac%6De' });
  expect([found.status, JSON.parse(found.text).id]).toEqual([200, 'acme']);
  const none = eventOf('GET', '/control/v1/tenants/{tenant}', {
    headers: asAdmin(),
    pathParameters: { tenant: '%2e%2e%2fplans' },
  });
  const refused = await ask('control', none);
  expect([refused.status, codeOf(refused)]).toEqual([404, 'tenant-unknown']);
});

test('a place to ask again at is below the stage that was asked', async () => {
  const body = JSON.stringify({ id: 'initech', name: 'Initech', plan: 'free' });
  const created = await ask('control', eventOf('POST', '/control/v1/tenants', { headers: asAdmin(), body }));
  expect([created.status, created.headers.Location]).toEqual([201, '/v1/control/v1/tenants/initech']);
});

test('a body of the largest size we take is within what Lambda takes, with all headers that API Gateway takes', async () => {
  const headers = { ...asAdmin(), 'X-Long': 'x'.repeat(10_000) };
  const asked = { headers, pathParameters: { model: 'm'.repeat(60) } };
  const largest = eventOf('POST', '/v2/models/{model}/infer', { ...asked, body: Buffer.alloc(4 * MIB, 32) });
  expect(Buffer.byteLength(JSON.stringify(largest))).toBeLessThan(MOST_EVENT_BYTES);
  const taken = await ask('infer', { ...largest, headers: { ...headers, 'Sluice-Tenant': 'acme' } });
  expect(codeOf(taken)).toBe('json-invalid');
  const more = eventOf('POST', '/v2/models/{model}/infer', { ...asked, body: Buffer.alloc(4 * MIB + 1, 32) });
  const refused = await ask('infer', { ...more, headers: { ...headers, 'Sluice-Tenant': 'acme' } });
  expect([refused.status, codeOf(refused)]).toEqual([413, 'body-too-large']);
});

test('a function without an environment says which variables are missing, and does not start', async () => {
  const { spec } = region.functions.catalogue;
  const lines: string[] = [];
  const bare = new LambdaFunction({ ...spec, environment: { AWS_REGION: 'us-east-1' } }, lines);
  expect(await bare.invoke(eventOf('GET', '/v2'))).toEqual({
    kind: 'failed',
    error: expect.stringContaining('SLUICE_CONTROL_TABLE'),
  });
  expect(lines.join('\n')).toMatch(/"the function cannot start".*SLUICE_CONTROL_TABLE/);
  await bare.stop();
});

test('what no caller reaches has nothing to do in a new region, and says so by ending well', async () => {
  for (const name of ['sweep', 'notices', 'validate'] as const) {
    expect(await region.functions[name].run({}), name).toBeNull();
  }
});

test('the function of model packages starts, and a tick of its schedule finds nothing to do', async () => {
  const { spec } = region.functions['model-packages'];
  const environment = { ...spec.environment, SLUICE_MODEL_PACKAGE_GROUPS: 'churn' };
  const packages = new LambdaFunction({ ...spec, environment }, logLines);
  expect(await packages.run({ 'detail-type': 'Scheduled Event' })).toBeNull();
  const event = { 'detail-type': 'SageMaker Model Package State Change', detail: { ModelPackageArn: 'arn:other' } };
  expect(await packages.run(event)).toBeNull();
  await packages.stop();
});

test('no credential and no key is in any log line', () => {
  expect(logLines.join('\n')).not.toMatch(/slk_us_|Bearer|"d":/);
});
