import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decodeJwt } from 'jose';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createDevIssuer, type DevIssuer, type DevIssuerRequest } from '../../adapters/identity/dev-issuer.ts';
import { createIdentity } from '../../adapters/identity/identity.ts';
import { loadSigningKey, type SigningKey } from '../../adapters/identity/signing-key.ts';
import type { Identity } from '../../core/ports/identity.ts';
import type { ApiKeyRecord } from '../../core/ports/registry.ts';
import { hashSecret, newApiKey } from '../../core/tenancy/api-key.ts';
import type { Role } from '../../core/tenancy/principal.ts';
import { MINUTE_MS } from '../../core/units.ts';
import { ManualClock } from '../support/manual-clock.ts';

const BASE_URL = 'http://127.0.0.1:8080';
const CALLBACK = `${BASE_URL}/console/callback`;
const VERIFIER = 'a-verifier-of-at-least-forty-three-characters-0123456789';
const ASKED = {
  client_id: 'sluice-console',
  redirect_uri: CALLBACK,
  response_type: 'code',
  scope: 'openid',
  state: 'a state',
  nonce: 'n1',
  code_challenge: createHash('sha256').update(VERIFIER).digest('base64url'),
  code_challenge_method: 'S256',
};

const clock = new ManualClock();
const keys = new Map<string, ApiKeyRecord>();
const registry = { readKey: async (id: string) => keys.get(id), listIssuers: async () => [] };
let folder: string;
let signingKey: SigningKey;
let issuer: DevIssuer;
let identity: Identity;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-test-'));
  signingKey = await loadSigningKey(join(folder, 'key.json'));
});
beforeEach(() => {
  const redirectUris = () => [CALLBACK, `${BASE_URL}/console/silent.html`];
  issuer = createDevIssuer({ registry, clock, region: 'us', baseUrl: BASE_URL, signingKey, redirectUris });
  identity = createIdentity({ registry, region: 'us', signingKey, localIssuers: [issuer.trusted] });
});
afterAll(() => rm(folder, { recursive: true }));

function addKey(tenant: string | undefined, role: Role) {
  const { keyId, secret, text } = newApiKey('us', tenant);
  const times = { createdAtMs: 0, expiresAtMs: undefined, revokedAtMs: undefined };
  keys.set(keyId, {
    id: keyId,
    secretSha256: hashSecret(secret),
    tenant,
    role,
    models: undefined,
    label: '',
    ...times,
  });
  return { keyId, text };
}

async function ask(path: string, request: Partial<DevIssuerRequest> = {}) {
  const nothing = {
    method: 'GET',
    query: '',
    authorization: undefined,
    origin: undefined,
    cookie: undefined,
    body: '',
  };
  const answer = await issuer.answer({ ...nothing, path: `/dev/oidc/${path}`, ...request });
  if (answer === undefined) throw new Error(`${path} is not served`);
  return answer;
}

const form = (fields: Readonly<Record<string, string>>) => new URLSearchParams(fields).toString();
const authorize = (fields: object = {}, cookie?: string) =>
  ask('authorize', { query: form({ ...ASKED, ...fields }), cookie });
const submit = (key: string, fields: object = {}, origin: string | undefined = BASE_URL) =>
  ask('authorize', { method: 'POST', body: form({ ...ASKED, ...fields, api_key: key }), origin });
const exchange = (code: string, fields: object = {}) =>
  ask('token', {
    method: 'POST',
    body: form({
      grant_type: 'authorization_code',
      client_id: 'sluice-console',
      redirect_uri: CALLBACK,
      code,
      code_verifier: VERIFIER,
      ...fields,
    }),
  });

type Answer = Awaited<ReturnType<typeof ask>>;
const placeOf = ({ headers }: Answer) => new URL(headers?.Location ?? 'about:blank');
const codeOf = (answer: Answer) => placeOf(answer).searchParams.get('code') ?? '';
const cookieOf = ({ headers }: Answer) => headers?.['Set-Cookie']?.split(';')[0];
const tokensOf = ({ body }: Answer) => body as { access_token: string; id_token: string };

describe('signing in by the development issuer', () => {
  test('hands the console a code, and for the code and its verifier tokens that are the key’s own', async () => {
    const { keyId, text } = addKey('acme', 'tenant-admin');
    const answer = await submit(text);
    expect(answer.status).toBe(303);
    expect(placeOf(answer).href.split('?')[0]).toBe(CALLBACK);
    expect(placeOf(answer).searchParams.get('state')).toBe('a state');
    const tokens = tokensOf(await exchange(codeOf(answer)));
    expect(decodeJwt(tokens.id_token)).toMatchObject({ aud: 'sluice-console', nonce: 'n1', sub: `key:${keyId}` });
    const principal = await identity.authenticate(`Bearer ${tokens.access_token}`, clock.nowMs());
    expect(principal).toMatchObject({ id: `key:${keyId}`, tenant: 'acme', role: 'tenant-admin' });
    // What tells the console who signed in opens nothing.
    await expect(identity.authenticate(`Bearer ${tokens.id_token}`, clock.nowMs())).rejects.toMatchObject({
      code: 'credentials-invalid',
    });
  });

  test('is the same person as the key itself: two keys are two people, a key and its token are one', async () => {
    const one = addKey(undefined, 'operator');
    const other = addKey(undefined, 'operator');
    const idOf = async (credential: string) => (await identity.authenticate(`Bearer ${credential}`, clock.nowMs())).id;
    const tokenOf = async (key: string) => tokensOf(await exchange(codeOf(await submit(key)))).access_token;
    expect(await idOf(await tokenOf(one.text))).toBe(await idOf(one.text));
    expect(await idOf(await tokenOf(other.text))).not.toBe(await idOf(one.text));
    const renamed = await ask('token', {
      method: 'POST',
      body: form({
        grant_type: 'client_credentials',
        client_secret: one.text,
        role: 'operator',
        user: 'somebody-else',
      }),
    });
    expect(renamed.status).toBe(403);
  });

  test('ends with the key: codes, sessions and tokens of a revoked one are refused', async () => {
    const { keyId, text } = addKey(undefined, 'operator');
    const [first, second] = [await submit(text), await submit(text)];
    const { access_token: token } = tokensOf(await exchange(codeOf(first)));
    keys.set(keyId, { ...keys.get(keyId)!, revokedAtMs: clock.nowMs() });
    expect((await exchange(codeOf(second))).body).toMatchObject({ error: 'invalid_grant' });
    expect(placeOf(await authorize({ prompt: 'none' }, cookieOf(second))).searchParams.get('error')).toBe(
      'login_required',
    );
    await expect(identity.authenticate(`Bearer ${token}`, clock.nowMs())).rejects.toMatchObject({
      code: 'credentials-invalid',
    });
  });

  test('spends a code on its first exchange, whatever comes of it, and lets it live a minute', async () => {
    const { text } = addKey(undefined, 'operator');
    const invalid = { status: 400, body: { error: 'invalid_grant' } };
    const spent = codeOf(await submit(text));
    expect((await exchange(spent)).status).toBe(200);
    expect(await exchange(spent)).toMatchObject(invalid);
    const stolen = codeOf(await submit(text));
    expect(await exchange(stolen, { code_verifier: `${VERIFIER}x` })).toMatchObject(invalid);
    expect(await exchange(stolen)).toMatchObject(invalid);
    expect(
      await exchange(codeOf(await submit(text)), { redirect_uri: `${BASE_URL}/console/silent.html` }),
    ).toMatchObject(invalid);
    const late = codeOf(await submit(text));
    clock.advance(MINUTE_MS);
    expect(await exchange(late)).toMatchObject(invalid);
    expect(await exchange('')).toMatchObject(invalid);
  });

  test('sends codes to consoles of this host and nowhere else', async () => {
    const { text } = addKey(undefined, 'operator');
    const elsewhere = [
      'https://evil.example/console/callback',
      `${CALLBACK}/`,
      `${CALLBACK}?x=1`,
      `${BASE_URL}.evil.example/`,
      '',
    ];
    for (const uri of elsewhere) {
      for (const answer of [await authorize({ redirect_uri: uri }), await submit(text, { redirect_uri: uri })]) {
        expect(answer.status).toBe(400);
        expect(answer.headers).not.toHaveProperty('Location');
      }
    }
    expect((await authorize({ client_id: 'another' })).status).toBe(400);
  });

  test('refuses what is not the code flow with PKCE, telling the console', async () => {
    const wrong = [
      { response_type: 'token' },
      { code_challenge: '' },
      { code_challenge_method: 'plain' },
      { scope: 'profile' },
      { prompt: 'consent' },
    ];
    for (const fields of wrong) {
      const answer = await authorize(fields);
      expect(placeOf(answer).searchParams.get('error'), JSON.stringify(fields)).toBe('invalid_request');
      expect(placeOf(answer).searchParams.get('code')).toBeNull();
    }
  });

  test('knows a browser that has signed in by a cookie that no script reads, until it signs out', async () => {
    const signedIn = await submit(addKey(undefined, 'operator').text);
    expect(signedIn.headers?.['Set-Cookie']).toMatch(/; Path=\/dev\/oidc; HttpOnly; SameSite=Lax/);
    const cookie = `other=1; ${cookieOf(signedIn)}`;
    expect(codeOf(await authorize({ prompt: 'none' }, cookie))).not.toBe('');
    expect((await authorize({ prompt: 'login' }, cookie)).status).toBe(200);
    const away = await ask('logout', { cookie, query: form({ post_logout_redirect_uri: 'https://evil.example/' }) });
    expect(away).toMatchObject({ status: 200 });
    expect(placeOf(await authorize({ prompt: 'none' }, cookie)).searchParams.get('error')).toBe('login_required');
    const home = await ask('logout', { query: form({ post_logout_redirect_uri: `${BASE_URL}/console/` }) });
    expect(placeOf(home).href).toBe(`${BASE_URL}/console/`);
  });

  test('asks by a page without scripts, in no frame, that shows hostile values as text', async () => {
    const page = await authorize({ state: '"><script>alert(1)</script>' });
    expect(page.headers?.['Content-Security-Policy']).toBe(
      `default-src 'none'; style-src 'self'; form-action 'self' ${BASE_URL}; frame-ancestors 'none'; base-uri 'none'`,
    );
    expect(page.body).not.toContain('<script');
    expect(page.body).toContain('&lt;script&gt;');
    expect(page.body).not.toMatch(/ style=|<style/);
  });

  test('takes no form of another site, and no more than thirty wrong keys a minute', async () => {
    const { text } = addKey(undefined, 'operator');
    expect((await submit(text, {}, 'https://evil.example')).status).toBe(403);
    for (let i = 0; i < 30; i += 1) expect((await submit(newApiKey('us', undefined).text)).status).toBe(401);
    expect(await submit(text)).toMatchObject({ status: 429, headers: { 'Retry-After': '60' } });
    clock.advance(MINUTE_MS);
    expect((await submit(text)).status).toBe(303);
  });
});
