import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLocalJWKSet, type JSONWebKeySet, jwtVerify } from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createDevIssuer, type DevIssuer } from '../../adapters/identity/dev-issuer.ts';
import { createIdentity } from '../../adapters/identity/identity.ts';
import { loadSigningKey } from '../../adapters/identity/signing-key.ts';
import type { Identity } from '../../core/ports/identity.ts';
import type { ApiKeyRecord } from '../../core/ports/registry.ts';
import { hashSecret, newApiKey } from '../../core/tenancy/api-key.ts';
import type { Role } from '../../core/tenancy/principal.ts';
import { ManualClock } from '../support/manual-clock.ts';

const BASE_URL = 'http://127.0.0.1:8080';
const clock = new ManualClock();
const keys = new Map<string, ApiKeyRecord>();
const registry = { readKey: async (id: string) => keys.get(id), listIssuers: async () => [] };
let folder: string;
let issuer: DevIssuer;
let identity: Identity;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-test-'));
  const signingKey = await loadSigningKey(join(folder, 'key.json'));
  issuer = createDevIssuer({ registry, clock, region: 'us', baseUrl: BASE_URL, signingKey });
  identity = createIdentity({ registry, region: 'us', signingKey, localIssuers: [issuer.trusted] });
});

afterAll(() => rm(folder, { recursive: true }));

function addKey(tenant: string | undefined, role: Role, models?: readonly string[]): string {
  const { keyId, secret, text } = newApiKey('us', tenant);
  const times = { createdAtMs: 0, expiresAtMs: undefined, revokedAtMs: undefined };
  keys.set(keyId, { id: keyId, secretSha256: hashSecret(secret), tenant, role, models, label: '', ...times });
  return text;
}

const REQUEST = { query: '', authorization: undefined, origin: undefined, cookie: undefined, body: '' };

async function read(path: string): Promise<Record<string, unknown>> {
  const answer = await issuer.answer({ ...REQUEST, method: 'GET', path });
  return answer?.body as Record<string, unknown>;
}

async function buy(form: Record<string, string>, authorization?: string) {
  const body = new URLSearchParams({ grant_type: 'client_credentials', ...form }).toString();
  const answer = await issuer.answer({ ...REQUEST, method: 'POST', path: '/dev/oidc/token', authorization, body });
  return { status: answer!.status, ...(answer!.body as { access_token: string; error?: string }) };
}

const principalOf = (token: string) => identity.authenticate(`Bearer ${token}`, clock.nowMs());

describe('the development issuer', () => {
  test('is found and verified as any OIDC issuer is', async () => {
    const discovery = await read('/dev/oidc/.well-known/openid-configuration');
    expect(discovery).toMatchObject({ issuer: `${BASE_URL}/dev/oidc`, token_endpoint: `${BASE_URL}/dev/oidc/token` });
    const set = (await read(new URL(discovery.jwks_uri as string).pathname)) as unknown as JSONWebKeySet;
    expect(set.keys[0]).not.toHaveProperty('d');
    const { access_token: token } = await buy({ client_secret: addKey('acme', 'tenant-admin') });
    const { payload } = await jwtVerify(token, createLocalJWKSet(set), {
      issuer: discovery.issuer as string,
      currentDate: new Date(clock.nowMs()),
    });
    expect(payload.sluice_tenant).toBe('acme');
  });

  test('sells a tenant’s key a token of that tenant, for a user and a role within the key’s', async () => {
    const key = addKey('acme', 'tenant-admin', ['row-sum']);
    const { access_token: plain } = await buy({ client_secret: key });
    expect(await principalOf(plain)).toMatchObject({ tenant: 'acme', role: 'tenant-user', models: ['row-sum'] });
    const { access_token: full } = await buy({ client_secret: key, tenant: 'acme', user: 'ada', role: 'tenant-admin' });
    expect(await principalOf(full)).toEqual({
      id: 'user:ada',
      tenant: 'acme',
      role: 'tenant-admin',
      models: ['row-sum'],
      user: 'ada',
    });
  });

  test('takes the key by HTTP Basic too', async () => {
    const basic = Buffer.from(`anything:${addKey('acme', 'tenant-user')}`).toString('base64');
    const { access_token: token } = await buy({}, `Basic ${basic}`);
    expect(await principalOf(token)).toMatchObject({ tenant: 'acme' });
  });

  test('sells an operator’s key tokens of any tenant, and of an operator', async () => {
    const key = addKey(undefined, 'operator');
    const { access_token: ofTenant } = await buy({ client_secret: key, tenant: 'globex', role: 'tenant-admin' });
    expect(await principalOf(ofTenant)).toMatchObject({ tenant: 'globex', role: 'tenant-admin' });
    const { access_token: ofOperator } = await buy({ client_secret: key, role: 'operator' });
    expect(await principalOf(ofOperator)).toMatchObject({ tenant: undefined, role: 'operator' });
  });

  test('sells nothing beyond the key, and nothing without one', async () => {
    const admin = addKey('acme', 'tenant-admin');
    const user = addKey('acme', 'tenant-user');
    expect(await buy({ client_secret: admin, tenant: 'globex' })).toMatchObject({ status: 403 });
    expect(await buy({ client_secret: user, role: 'tenant-admin' })).toMatchObject({ status: 403 });
    expect(await buy({ client_secret: admin, role: 'operator' })).toMatchObject({ status: 403 });
    expect(await buy({ client_secret: addKey(undefined, 'operator') })).toMatchObject({ status: 403 });
    expect(await buy({ client_secret: newApiKey('us', 'acme').text })).toMatchObject({ status: 401 });
    expect(await buy({})).toMatchObject({ status: 401, error: 'invalid_client' });
    expect(await buy({ client_secret: admin, grant_type: 'password' })).toMatchObject({ status: 400 });
    expect(await buy({ client_secret: admin, role: 'root' })).toMatchObject({ status: 400, error: 'invalid_request' });
  });

  test('answers nothing outside its path', async () => {
    const request = { ...REQUEST, method: 'GET', path: '/v2' };
    expect(await issuer.answer(request)).toBeUndefined();
    expect(await issuer.answer({ ...request, path: '/dev/oidc/nothing' })).toBeUndefined();
  });
});
