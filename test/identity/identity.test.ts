import { createHmac, randomBytes } from 'node:crypto';
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { type CryptoKey, decodeJwt, exportSPKI, importJWK, type JWTPayload } from 'jose';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createIdentity } from '../../adapters/identity/identity.ts';
import { loadSigningKey, type SigningKey } from '../../adapters/identity/signing-key.ts';
import { Failure, type FailureCode } from '../../core/failure.ts';
import type { Identity } from '../../core/ports/identity.ts';
import type { ApiKeyRecord, IssuerRecord } from '../../core/ports/registry.ts';
import { hashSecret, newApiKey, parseApiKey } from '../../core/tenancy/api-key.ts';
import { MINUTE_MS, SECOND_MS } from '../../core/units.ts';
import { startIssuer, type TestIssuer } from '../support/tokens.ts';

const NOW_MS = Date.UTC(2026, 0, 15, 12);
const S = NOW_MS / SECOND_MS;

let folder: string;
let signingKey: SigningKey;
let issuer: TestIssuer;
let stranger: TestIssuer;
let keys: Map<string, ApiKeyRecord>;
let issuers: IssuerRecord[];
let reads: number;
let identity: Identity;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-test-'));
  signingKey = await loadSigningKey(join(folder, 'us', 'key.json'));
  issuer = await startIssuer('RS256');
  stranger = await startIssuer('ES256', { tenants: ['*'], maxRole: 'admin' });
});

afterAll(async () => {
  await Promise.all([issuer.stop(), stranger.stop(), rm(folder, { recursive: true })]);
});

beforeEach(() => {
  keys = new Map();
  issuers = [issuer.record];
  reads = 0;
  identity = createIdentity({ registry, region: 'us', signingKey });
});

const registry = {
  async readKey(id: string) {
    reads += 1;
    return keys.get(id);
  },
  async listIssuers() {
    return issuers;
  },
};

function addKey(change: Partial<ApiKeyRecord> = {}, region = 'us'): string {
  const tenant = 'tenant' in change ? change.tenant : 'acme';
  const { keyId, secret, text } = newApiKey(region, tenant);
  keys.set(change.id ?? keyId, {
    id: keyId,
    secretSha256: hashSecret(secret),
    tenant,
    role: 'tenant-admin',
    models: undefined,
    label: 'test',
    createdAtMs: NOW_MS,
    expiresAtMs: undefined,
    revokedAtMs: undefined,
    ...change,
  });
  return text;
}

const ask = (credential: string, nowMs = NOW_MS) => identity.authenticate(`Bearer ${credential}`, nowMs);

async function expectRefused(answer: Promise<unknown>, code: FailureCode, facts: object = {}): Promise<void> {
  const error = await answer.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(Failure);
  expect({ code: (error as Failure).code, ...(error as Failure).facts }).toMatchObject({ code, ...facts });
}

describe('API keys', () => {
  test('a key of this region is its principal', async () => {
    const key = addKey({ models: ['row-sum'] });
    const id = parseApiKey(key)!.keyId;
    expect(await ask(key)).toEqual({
      id: `key:${id}`,
      tenant: 'acme',
      role: 'tenant-admin',
      models: ['row-sum'],
      user: undefined,
    });
    expect(await ask(addKey({ tenant: undefined, role: 'operator' }))).toMatchObject({
      tenant: undefined,
      role: 'operator',
    });
  });

  test('the scheme may be spelled in any case; anything but one credential is refused', async () => {
    const key = addKey();
    expect(await identity.authenticate(`bearer  ${key}`, NOW_MS)).toMatchObject({ tenant: 'acme' });
    await expectRefused(identity.authenticate(undefined, NOW_MS), 'credentials-missing');
    await expectRefused(identity.authenticate('', NOW_MS), 'credentials-missing');
    await expectRefused(identity.authenticate(`Basic ${key}`, NOW_MS), 'credentials-invalid');
    await expectRefused(identity.authenticate(`Bearer ${key} ${key}`, NOW_MS), 'credentials-invalid');
  });

  test('no key differs from a valid one in any character and is accepted', async () => {
    const key = addKey();
    await fc.assert(
      fc.asyncProperty(fc.nat(key.length - 1), fc.constantFrom(...'0123456789abcdefxz_.-'), async (at, character) => {
        fc.pre(key[at] !== character);
        const tampered = key.slice(0, at) + character + key.slice(at + 1);
        const answer = await ask(tampered).catch((error: Failure) => error);
        expect(answer).toBeInstanceOf(Failure);
      }),
      { numRuns: 200 },
    );
  });

  test('unknown, tampered, revoked and foreign keys look the same', async () => {
    const revoked = addKey({ revokedAtMs: NOW_MS - 1 });
    const foreign = addKey({}, 'eu');
    const stolenId = `slk_us_${parseApiKey(addKey())!.keyId}_${randomBytes(32).toString('hex')}`;
    for (const key of [
      revoked,
      foreign,
      stolenId,
      newApiKey('us', 'acme').text,
      newApiKey('us', undefined).text,
      'slk_',
    ]) {
      const error = await ask(key).catch((thrown: Failure) => thrown);
      expect(error).toEqual(new Failure('credentials-invalid'));
    }
  });

  test('expiry is told to the holder alone', async () => {
    const expired = addKey({ expiresAtMs: NOW_MS });
    await expectRefused(ask(expired), 'credentials-expired');
    expect(await ask(expired, NOW_MS - 1)).toMatchObject({ tenant: 'acme' });
    const guess = `slk_us_${parseApiKey(expired)!.keyId}_${'0'.repeat(64)}`;
    await expectRefused(ask(guess), 'credentials-invalid');
  });

  test('a verified key is not read again for a second, and revocation holds after it', async () => {
    const key = addKey();
    for (let i = 0; i < 10; i += 1) await ask(key, NOW_MS + i * 99);
    expect(reads).toBe(1);
    const id = parseApiKey(key)!.keyId;
    keys.set(id, { ...keys.get(id)!, revokedAtMs: NOW_MS + 500 });
    await expectRefused(ask(key, NOW_MS + SECOND_MS), 'credentials-invalid');
  });

  test('a refusal is not remembered', async () => {
    const { keyId, secret, text } = newApiKey('us', 'acme');
    await expectRefused(ask(text), 'credentials-invalid');
    addKey({ id: keyId, secretSha256: hashSecret(secret) });
    expect(await ask(text)).toMatchObject({ id: `key:${keyId}` });
  });
});

describe('tokens of an issuer', () => {
  test('the claims are the principal', async () => {
    const token = await issuer.sign(NOW_MS, {
      sluice_models: ['row-sum'],
      sluice_user: 'u-1',
      other: { nested: true },
    });
    expect(await ask(token)).toEqual({
      id: 'user:ada',
      tenant: 'acme',
      role: 'tenant-user',
      models: ['row-sum'],
      user: 'u-1',
    });
  });

  test.each([
    ['expired', { exp: S - 31 }, 'credentials-expired'],
    ['without expiry', { exp: undefined }, 'credentials-invalid'],
    ['not valid yet', { nbf: S + 31 }, 'credentials-invalid'],
    ['for another audience', { aud: 'someone-else' }, 'credentials-invalid'],
    ['of an unknown issuer', { iss: 'https://issuer.example' }, 'issuer-unknown'],
    ['without a subject', { sub: undefined }, 'credentials-invalid'],
    ['naming a tenant that is not the issuer’s', { sluice_tenant: 'globex' }, 'credentials-invalid'],
    ['without a tenant', { sluice_tenant: undefined }, 'credentials-invalid'],
    ['without a role', { sluice_role: undefined }, 'credentials-invalid'],
    ['with a role that there is not', { sluice_role: 'root' }, 'credentials-invalid'],
    ['with a role above the issuer’s', { sluice_role: 'operator', sluice_tenant: undefined }, 'credentials-invalid'],
    ['with control characters in its subject', { sub: 'ada\n{"level":"error"}' }, 'credentials-invalid'],
  ] as [string, JWTPayload, FailureCode][])('a token %s is refused', async (_, claims, code) => {
    await expectRefused(ask(await issuer.sign(NOW_MS, claims)), code);
  });

  test('clocks may differ by 30 seconds', async () => {
    expect(await ask(await issuer.sign(NOW_MS, { exp: S - 29 }))).toMatchObject({ tenant: 'acme' });
    expect(await ask(await issuer.sign(NOW_MS, { nbf: S + 29 }))).toMatchObject({ tenant: 'acme' });
  });

  test('tokens above the tenants’ roles need an issuer of every tenant', async () => {
    const claims = { sluice_role: 'operator', sluice_tenant: undefined };
    issuers = [{ ...issuer.record, maxRole: 'admin' }];
    await expectRefused(ask(await issuer.sign(NOW_MS, claims)), 'credentials-invalid', { claim: 'sluice_role' });
    issuers = [{ ...issuer.record, maxRole: 'admin', tenants: ['*'] }];
    expect(await ask(await issuer.sign(NOW_MS, claims), NOW_MS + SECOND_MS)).toMatchObject({
      tenant: undefined,
      role: 'operator',
    });
    const both = await issuer.sign(NOW_MS, { ...claims, sluice_tenant: 'acme' });
    await expectRefused(ask(both, NOW_MS + SECOND_MS), 'credentials-invalid', { claim: 'sluice_tenant' });
  });

  describe('with groups of Amazon Cognito', () => {
    const grouped = (groups: readonly string[], more: JWTPayload = {}) =>
      issuer.sign(NOW_MS, { sluice_role: undefined, sluice_tenant: undefined, 'cognito:groups': groups, ...more });
    const ofEveryTenant = () => {
      issuers = [{ ...issuer.record, maxRole: 'operator', tenants: ['*'] }];
    };

    test('the strongest group is the role, and names the tenant of a tenant’s', async () => {
      ofEveryTenant();
      const operator = await grouped(['readers', 'sluice-tenant-admin.acme', 'sluice-operator']);
      expect(await ask(operator)).toMatchObject({ role: 'operator', tenant: undefined });
      const admin = await grouped(['sluice-tenant-user.acme', 'sluice-tenant-admin.acme']);
      expect(await ask(admin)).toMatchObject({ role: 'tenant-admin', tenant: 'acme' });
    });

    test('what the token says itself goes before its groups', async () => {
      ofEveryTenant();
      const token = await grouped(['sluice-operator'], { sluice_role: 'tenant-user', sluice_tenant: 'acme' });
      expect(await ask(token)).toMatchObject({ role: 'tenant-user', tenant: 'acme' });
    });

    test.each([
      ['of none of ours', ['readers', 'sluice-', 'sluice-operator.acme', 'sluice-tenant-admin', 'xsluice-operator']],
      ['of two tenants', ['sluice-tenant-admin.acme', 'sluice-tenant-admin.globex']],
      ['above what the issuer may grant', ['sluice-admin']],
    ])('groups %s are refused', async (_, groups) => {
      ofEveryTenant();
      await expectRefused(ask(await grouped(groups)), 'credentials-invalid');
    });

    test('an issuer that is bound to tenants grants no group of another', async () => {
      await expectRefused(ask(await grouped(['sluice-tenant-user.globex'])), 'credentials-invalid');
      await expectRefused(ask(await grouped(['sluice-operator'])), 'credentials-invalid');
    });
  });

  test('another issuer’s signature under this one’s name is refused', async () => {
    const forged = await stranger.sign(NOW_MS, { iss: issuer.record.issuer, aud: issuer.record.audience });
    await expectRefused(ask(forged), 'credentials-invalid');
    await expectRefused(ask(await issuer.sign(NOW_MS, {}, { kid: 'two' })), 'credentials-invalid');
  });

  test('no signature, and a public key used as a shared secret, are refused', async () => {
    const [, payload] = (await issuer.sign(NOW_MS, {})).split('.');
    const encode = (header: object) => Buffer.from(JSON.stringify(header)).toString('base64url');
    await expectRefused(ask(`${encode({ alg: 'none' })}.${payload}.`), 'credentials-invalid');
    const { keys: set } = (await (await fetch(issuer.record.jwksUri)).json()) as {
      keys: Parameters<typeof importJWK>[0][];
    };
    const secret = await exportSPKI((await importJWK(set[0]!)) as CryptoKey);
    const head = `${encode({ alg: 'HS256', kid: 'one' })}.${payload}`;
    const mac = createHmac('sha256', secret).update(head).digest('base64url');
    await expectRefused(ask(`${head}.${mac}`), 'credentials-invalid');
  });

  test('no token differs from a valid one in any character of header, claims or signature and is accepted', async () => {
    const token = await issuer.sign(NOW_MS, {});
    // The last character of a signature has bits that mean nothing.
    await fc.assert(
      fc.asyncProperty(fc.nat(token.length - 2), fc.constantFrom(...'ABxyz019-_'), async (at, character) => {
        fc.pre(token[at] !== character && token[at] !== '.');
        const answer = await ask(token.slice(0, at) + character + token.slice(at + 1)).catch((error: Failure) => error);
        expect(answer).toBeInstanceOf(Failure);
      }),
      { numRuns: 100 },
    );
  });

  test('keys are fetched once, not for every token', async () => {
    const before = issuer.fetches();
    for (let i = 0; i < 5; i += 1) await ask(await issuer.sign(NOW_MS, { sub: `u${i}` }), NOW_MS + i * 2 * SECOND_MS);
    expect(issuer.fetches() - before).toBe(1);
  });

  test('an issuer that was removed is refused two seconds later', async () => {
    const token = await issuer.sign(NOW_MS, {});
    await ask(token);
    issuers = [];
    await expectRefused(ask(token, NOW_MS + 2 * SECOND_MS), 'issuer-unknown');
  });

  test('an issuer whose keys cannot be fetched is not the caller’s fault', async () => {
    issuers = [{ ...issuer.record, jwksUri: 'http://127.0.0.1:9/jwks' }];
    await expectRefused(ask(await issuer.sign(NOW_MS, {})), 'issuer-unavailable', { retryAfterMs: 5 * SECOND_MS });
  });

  test('whatever text is sent as a credential, the answer is a failure of the catalogue', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(
          fc.string(),
          fc.base64String(),
          fc.string().map((s) => `a.${btoa(encodeURI(s))}.c`),
        ),
        async (text) => {
          const error = await identity.authenticate(text, NOW_MS).catch((thrown: unknown) => thrown);
          expect(error).toBeInstanceOf(Failure);
          expect((error as Failure).code).toMatch(/^(credentials|issuer)-/);
        },
      ),
      { numRuns: 200 },
    );
  });
});

describe('browser tokens', () => {
  const claims = { tenant: 'acme', issuedBy: 'key:acme.00000001', user: 'u-1', models: ['row-sum'] };

  beforeEach(() => {
    addKey({ id: 'acme.00000001' });
  });

  test.each<[string, () => void]>([
    ['is revoked', () => addKey({ id: 'acme.00000001', revokedAtMs: NOW_MS + SECOND_MS })],
    ['expires', () => addKey({ id: 'acme.00000001', expiresAtMs: NOW_MS + SECOND_MS })],
    ['is removed with its tenant', () => keys.clear()],
  ])('a token ends within a second when the key that it was issued for %s', async (_, end) => {
    const { token } = await identity.issueBrowserToken(claims, NOW_MS);
    expect(await ask(token)).toMatchObject({ tenant: 'acme' });
    end();
    await expectRefused(ask(token, NOW_MS + SECOND_MS + 1), 'credentials-invalid');
  });

  test('a token that a tenant administrator was issued, not a key, lasts its 15 minutes', async () => {
    const { token } = await identity.issueBrowserToken({ ...claims, issuedBy: 'user:ann' }, NOW_MS);
    expect(await ask(token, NOW_MS + 14 * MINUTE_MS)).toMatchObject({ user: 'u-1' });
  });

  test('a token is a tenant-user of its tenant, user and models for 15 minutes', async () => {
    const { token, expiresAtMs } = await identity.issueBrowserToken(claims, NOW_MS);
    expect(expiresAtMs).toBe(NOW_MS + 15 * MINUTE_MS);
    expect(await ask(token)).toEqual({
      id: 'user:u-1',
      tenant: 'acme',
      role: 'tenant-user',
      models: ['row-sum'],
      user: 'u-1',
    });
    await expectRefused(ask(token, expiresAtMs + 31 * SECOND_MS), 'credentials-expired');
  });

  test('a token of one region is refused in another, even under the same key', async () => {
    const { token } = await identity.issueBrowserToken(claims, NOW_MS);
    const sameKey = createIdentity({ registry, region: 'eu', signingKey });
    await expectRefused(sameKey.authenticate(`Bearer ${token}`, NOW_MS), 'credentials-invalid', { claim: 'aud' });
    const ownKey = createIdentity({
      registry,
      region: 'eu',
      signingKey: await loadSigningKey(join(folder, 'eu.json')),
    });
    await expectRefused(ownKey.authenticate(`Bearer ${token}`, NOW_MS), 'credentials-invalid');
  });

  test('a token says nothing but what it is for', async () => {
    const { token } = await identity.issueBrowserToken(claims, NOW_MS);
    expect(Object.keys(decodeJwt(token)).sort()).toEqual([
      'aud',
      'exp',
      'iat',
      'iss',
      'sluice_issued_by',
      'sluice_models',
      'sluice_role',
      'sluice_tenant',
      'sluice_user',
      'sub',
    ]);
  });
});

describe('the signing key', () => {
  test('is the same for all who load it first, and only its owner may read it', async () => {
    const path = join(folder, 'new', 'key.json');
    const loaded = await Promise.all(Array.from({ length: 8 }, () => loadSigningKey(path)));
    expect(new Set(loaded.map((key) => key.kid)).size).toBe(1);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect(loaded[0]!.publicJwk).not.toHaveProperty('d');
  });

  test('is not replaced when its file is damaged', async () => {
    const path = join(folder, 'damaged.json');
    await writeFile(path, '{"kty":"EC"');
    await expect(loadSigningKey(path)).rejects.toThrow(/damaged/);
  });
});
