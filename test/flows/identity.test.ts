import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { FailureCode } from '../../core/failure.ts';
import { slowModel } from '../support/bad-models.ts';
import { type ApiClient, firstOutput, fourOf, type InferJson, int64s } from '../support/http-client.ts';
import { expectProblem } from '../support/problems.ts';
import { type RunningPlatform, startRunning } from '../support/running-platform.ts';

let running: RunningPlatform;
let acme: ApiClient;
let admin: ApiClient;

beforeAll(async () => {
  running = await startRunning({
    models: ['row-sum', 'ticket-sentiment', slowModel()],
    corsOrigins: ['https://console.example'],
  });
  acme = await running.addTenant('acme', { allowedOrigins: ['https://app.acme.example'] });
  await running.addTenant('initech');
  admin = await running.addKey(undefined, { role: 'admin' });
});

afterAll(() => running.end());

/** `credential` asks for a prediction, which needs the least role there is. */
function ask(credential: string | undefined, headers: Record<string, string> = {}) {
  return running.client(credential).infer('row-sum', fourOf(1), { headers });
}

describe('an API key', () => {
  test('is asked for, in the scheme that the answer names', async () => {
    const answer = await ask(undefined);
    expectProblem(answer, 'credentials-missing');
    expect(answer.header('www-authenticate')).toBe('Bearer');
  });

  test.each([
    ['of another scheme', (key: string) => ({ authorization: `Basic ${key}` })],
    ['with a changed secret', (key: string) => ({ authorization: `Bearer ${flipLast(key)}` })],
    ['cut short', (key: string) => ({ authorization: `Bearer ${key.slice(0, -1)}` })],
    [
      'with the id of another',
      (key: string) => ({ authorization: `Bearer ${key.replace(/\.[0-9a-f]{8}_/, '.00000000_')}` }),
    ],
    [
      'of another tenant in its name',
      (key: string) => ({ authorization: `Bearer ${key.replace('_acme.', '_initech.')}` }),
    ],
    [
      'of a region that does not exist',
      (key: string) => ({ authorization: `Bearer ${key.replace('slk_us', 'slk_mars')}` }),
    ],
    ['of nothing at all', () => ({ authorization: 'Bearer hello' })],
  ])('%s is refused', async (_, headersOf) => {
    const answer = await running.client(undefined).infer('row-sum', fourOf(1), { headers: headersOf(acme.key!) });
    expectProblem(answer, 'credentials-invalid');
    expect(answer.header('www-authenticate')).toBe('Bearer error="invalid_token"');
  });

  test('counts whatever the case of the header and of the scheme', async () => {
    const headers = { AUTHORIZATION: `bEaReR ${acme.key}` };
    expect((await running.client(undefined).infer('row-sum', fourOf(1), { headers })).status).toBe(200);
  });

  test('ends when it expires', async () => {
    const short = await running.addKey('acme', { expiresAtMs: Date.now() + 3000 });
    expect((await short.infer('row-sum', fourOf(1))).status).toBe(200);
    await vi.waitFor(async () => expectProblem(await short.infer('row-sum', fourOf(1)), 'credentials-expired'), {
      timeout: 15_000,
      interval: 100,
    });
  });

  test('ends within a second of being revoked', async () => {
    const created = await acme.post('/control/v1/tenants/acme/keys', { label: 'short-lived' });
    const { id, key } = created.json<{ id: string; key: string }>();
    expect((await ask(key)).status).toBe(200);
    expect((await acme.send('DELETE', `/control/v1/tenants/acme/keys/${id}`)).status).toBe(204);
    const revokedAt = performance.now();
    await vi.waitFor(async () => expectProblem(await ask(key), 'credentials-invalid'), { timeout: 3000, interval: 20 });
    expect(performance.now() - revokedAt).toBeLessThan(2000);
  });

  test('is shown once and kept as a hash', async () => {
    const { key } = (await acme.post('/control/v1/tenants/acme/keys', { label: 'shown' })).json<{ key: string }>();
    const list = await acme.get('/control/v1/tenants/acme/keys');
    expect(list.text).toContain('shown');
    expect(list.text).not.toContain(key.split('_').at(-1));
    expect(running.logLines.join('')).not.toContain(key.split('_').at(-1));
  });
});

describe('a browser token', () => {
  async function tokenFor(user: string, models?: string[]): Promise<{ token: string; expires_at_ms: number }> {
    const answer = await acme.post('/control/v1/tenants/acme/browser-tokens', { user, ...(models && { models }) });
    expect(answer.status).toBe(201);
    return answer.json();
  }

  test('predicts for 15 minutes, and only with the models it is for', async () => {
    const { token, expires_at_ms } = await tokenFor('ann', ['row-sum']);
    expect(Math.abs(expires_at_ms - Date.now() - 15 * 60_000)).toBeLessThan(5000);
    expect(firstOutput(await ask(token))).toEqual([4]);
    expectProblem(await running.client(token).get('/v2/models/ticket-sentiment'), 'model-unknown');
  });

  test('changes nothing and makes no other tokens', async () => {
    const { token } = await tokenFor('ann');
    const browser = running.client(token);
    expectProblem(await browser.post('/control/v1/tenants/acme/browser-tokens', { user: 'ann' }), 'forbidden');
    expectProblem(await browser.post('/control/v1/tenants/acme/keys', { label: 'mine' }), 'forbidden');
    expectProblem(await browser.send('DELETE', '/control/v1/tenants/acme/data'), 'forbidden');
    expectProblem(await browser.get('/control/v1/tenants/acme'), 'forbidden', { required_role: 'tenant-admin' });
  });

  test('of one user does not see the predictions of another', async () => {
    const ann = running.client((await tokenFor('ann')).token);
    const bob = running.client((await tokenFor('bob')).token);
    const accepted = await ann.infer('row-sum', fourOf(5), { headers: { prefer: 'respond-async' } });
    const place = accepted.header('location')!;
    expectProblem(await bob.get(place), 'prediction-unknown');
    expectProblem(await bob.send('DELETE', place), 'prediction-unknown');
    expect(firstOutput(await ann.result(place))).toEqual([20]);
    // The tenant's own server sees them all.
    expect((await acme.get(place)).json<InferJson>().outputs).toHaveLength(1);
  });

  test('cannot be changed', async () => {
    const { token } = await tokenFor('ann');
    const [head, , signature] = token.split('.');
    const claims = { iss: 'sluice', aud: 'us', sub: 'ann', sluice_tenant: 'initech', sluice_role: 'tenant-user' };
    const body = Buffer.from(JSON.stringify({ ...claims, exp: 2 ** 32 })).toString('base64url');
    expectProblem(await ask(`${head}.${body}.${signature}`), 'credentials-invalid');
    const none = Buffer.from('{"alg":"none"}').toString('base64url');
    expectProblem(await ask(`${none}.${body}.`), 'credentials-invalid');
  });
});

describe('the development issuer', () => {
  async function tokenOf(form: Record<string, string>): Promise<{ status: number; access_token: string }> {
    const response = await fetch(`${acme.url}/dev/oidc/token`, {
      method: 'POST',
      body: new URLSearchParams({ grant_type: 'client_credentials', ...form }),
    });
    return { status: response.status, ...((await response.json()) as { access_token: string }) };
  }

  test('is found by discovery and gives a key set', async () => {
    const anyone = running.client(undefined);
    const discovery = (await anyone.get('/dev/oidc/.well-known/openid-configuration')).json<{ jwks_uri: string }>();
    expect(discovery).toMatchObject({ issuer: `${acme.url}/dev/oidc` });
    const jwks = (await anyone.get(new URL(discovery.jwks_uri).pathname)).json<{ keys: Record<string, unknown>[] }>();
    expect(jwks.keys).toHaveLength(1);
    expect(jwks.keys[0]).not.toHaveProperty('d');
  });

  test('sells a token for a key, no stronger than the key', async () => {
    const { access_token } = await tokenOf({ client_secret: acme.key! });
    expect(firstOutput(await ask(access_token))).toEqual([4]);
    const user = await running.addKey('acme');
    expect((await tokenOf({ client_secret: user.key!, role: 'tenant-admin' })).status).toBe(403);
    expect((await tokenOf({ client_secret: user.key!, tenant: 'initech' })).status).toBe(403);
    expect((await tokenOf({ client_secret: flipLast(user.key!) })).status).toBe(401);
    expect((await tokenOf({ client_secret: user.key!, surprise: 'yes' })).status).toBe(400);
  });
});

describe('an issuer of your own', () => {
  let server: Server;
  let issuer: string;
  let sign: (claims: Record<string, unknown>, expiresIn?: string | number) => Promise<string>;

  beforeAll(async () => {
    const { publicKey, privateKey } = await generateKeyPair('RS256', { extractable: true });
    const jwk = { ...(await exportJWK(publicKey)), kid: 'k1', alg: 'RS256', use: 'sig' };
    server = createServer((_, response) => response.end(JSON.stringify({ keys: [jwk] })));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    sign = (claims, expiresIn = '5m') =>
      new SignJWT({ iss: issuer, aud: 'sluice', sub: 'carol', ...claims })
        .setProtectedHeader({ alg: 'RS256', kid: 'k1' })
        .setIssuedAt(Math.floor(Date.now() / 1000) - 3600)
        .setExpirationTime(expiresIn)
        .sign(privateKey);
    const record = {
      issuer,
      audience: 'sluice',
      jwks_uri: `${issuer}/keys`,
      tenants: ['acme'],
      max_role: 'tenant-user',
    };
    expect((await admin.send('PUT', '/control/v1/issuers', { body: record })).status).toBe(200);
  });

  afterAll(() => server.close());

  const user = { sluice_tenant: 'acme', sluice_role: 'tenant-user' };

  test('is trusted for the tenants that it was registered for', async () => {
    expect(firstOutput(await ask(await sign(user)))).toEqual([4]);
  });

  test.each<[string, Record<string, unknown>, string | number, FailureCode]>([
    ['another tenant', { ...user, sluice_tenant: 'initech' }, '5m', 'credentials-invalid'],
    ['a stronger role', { ...user, sluice_role: 'tenant-admin' }, '5m', 'credentials-invalid'],
    ['an operator', { sluice_role: 'operator' }, '5m', 'credentials-invalid'],
    ['another audience', { ...user, aud: 'elsewhere' }, '5m', 'credentials-invalid'],
    ['no tenant', { sluice_role: 'tenant-user' }, '5m', 'credentials-invalid'],
    ['a time that has passed', user, Math.floor(Date.now() / 1000) - 60, 'credentials-expired'],
    ['an issuer that nobody registered', { ...user, iss: 'https://evil.example' }, '5m', 'issuer-unknown'],
  ])('is refused when its token names %s', async (_, claims, expiresIn, code) => {
    expectProblem(await ask(await sign(claims, expiresIn)), code);
  });

  test('is no longer trusted two seconds after it was removed', async () => {
    const token = await sign(user);
    expect((await ask(token)).status).toBe(200);
    const removed = await admin.send('DELETE', `/control/v1/issuers?issuer=${encodeURIComponent(issuer)}`);
    expect(removed.status).toBe(204);
    await vi.waitFor(async () => expectProblem(await ask(token), 'issuer-unknown'), { timeout: 4000, interval: 100 });
  });
});

describe('an operator', () => {
  test('predicts for the tenant that it names, and for none without', async () => {
    const operator = await running.addKey(undefined);
    const answer = await operator.infer('row-sum', fourOf(2), { headers: { 'Sluice-Tenant': 'acme' } });
    expect(firstOutput(answer)).toEqual([8]);
    expectProblem(await operator.infer('row-sum', fourOf(2)), 'header-invalid', { field: 'Sluice-Tenant' });
    const nobody = await operator.infer('row-sum', fourOf(2), { headers: { 'Sluice-Tenant': 'nobody' } });
    expectProblem(nobody, 'tenant-unknown');
  });

  test('is the only one who may name a tenant', async () => {
    const answer = await acme.infer('row-sum', fourOf(1), { headers: { 'Sluice-Tenant': 'initech' } });
    expectProblem(answer, 'forbidden');
  });
});

describe('browsers', () => {
  test('may ask ahead on every route, without credentials', async () => {
    const answer = await running.client(undefined).send('OPTIONS', '/v2/models/row-sum/infer', {
      headers: {
        origin: 'https://app.acme.example',
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'authorization, content-type, idempotency-key',
      },
    });
    expect(answer.status).toBe(204);
    expect(answer.header('access-control-allow-origin')).toBe('https://app.acme.example');
    expect(answer.header('access-control-allow-methods')?.split(', ')).toContain('POST');
    const allowed = answer.header('access-control-allow-headers')?.toLowerCase().split(', ');
    expect(allowed).toEqual(expect.arrayContaining(['authorization', 'content-type', 'idempotency-key', 'prefer']));
    expect(Number(answer.header('access-control-max-age'))).toBeGreaterThan(0);
  });

  test.each([
    ['of the tenant', 'https://app.acme.example', true],
    ['of the configuration', 'https://console.example', true],
    ['of anybody else', 'https://evil.example', false],
  ])('of a page %s may read the answer: %s is %s', async (_, origin, allowed) => {
    const answer = await ask(acme.key, { origin });
    expect(answer.status).toBe(200);
    expect(answer.header('access-control-allow-origin')).toBe(allowed ? origin : undefined);
    expect(answer.header('access-control-allow-credentials')).toBeUndefined();
    expect(answer.header('vary')).toBe('Origin');
    if (!allowed) return;
    const exposed = answer.header('access-control-expose-headers')?.split(', ');
    expect(exposed).toEqual(expect.arrayContaining(['Location', 'RateLimit', 'Retry-After', 'Sluice-Model-Version']));
  });

  test('read refusals too, so that a page can tell that its token has expired', async () => {
    const answer = await ask('slk_bad', { origin: 'https://app.acme.example' });
    expectProblem(answer, 'credentials-invalid');
    expect(answer.header('access-control-allow-origin')).toBe('https://app.acme.example');
  });
});

test('a suspended tenant is refused within a second and served again after', async () => {
  const closed = await running.addTenant('closed');
  await running.changeTenant('closed', { suspended: true });
  await vi.waitFor(async () => expectProblem(await closed.infer('row-sum', fourOf(1)), 'forbidden'), { timeout: 3000 });
  await running.changeTenant('closed', { suspended: false });
  await vi.waitFor(async () => expect((await closed.infer('slow', int64s('rounds', 0))).status).toBe(200), {
    timeout: 3000,
  });
});

/** The same text with another last character. */
function flipLast(text: string): string {
  return `${text.slice(0, -1)}${text.endsWith('0') ? '1' : '0'}`;
}
