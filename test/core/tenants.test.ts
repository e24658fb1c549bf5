import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Failure } from '../../core/failure.ts';
import { parseApiKey } from '../../core/tenancy/api-key.ts';
import { issueBrowserToken } from '../../core/tenancy/browser-token.ts';
import { eraseTenantData, removeTenant } from '../../core/tenancy/erase-tenant.ts';
import { putIssuer } from '../../core/tenancy/manage-issuers.ts';
import { createKey, revokeKey } from '../../core/tenancy/manage-keys.ts';
import { putPlan } from '../../core/tenancy/manage-plans.ts';
import { changeTenant, createTenant } from '../../core/tenancy/manage-tenants.ts';
import { DEFAULT_PLANS } from '../../core/tenancy/plan.ts';
import type { Principal } from '../../core/tenancy/principal.ts';
import type { DirectoryEntry } from '../../core/tenancy/tenant.ts';
import { openTestHost, type TestHost } from '../support/http-host.ts';

const ADMIN: Principal = { id: 'key:op', tenant: undefined, role: 'admin', models: undefined, user: undefined };
const ACME: Principal = { id: 'key:acme.1', tenant: 'acme', role: 'tenant-admin', models: undefined, user: undefined };
const SPEC = { id: 'acme', name: 'Acme', region: undefined, plan: 'pro', overrides: {}, allowedOrigins: [] };
const NEW = { ...SPEC, wrongRegion: 'refuse' } as const;
const KEY = { tenant: 'acme', role: 'tenant-user', models: undefined, label: 'a key', expiresAtMs: undefined } as const;

let opened: TestHost;
let host: TestHost['host'];

beforeEach(async () => {
  opened = await openTestHost();
  host = opened.host;
});

afterEach(() => opened.close());

const codeOf = (act: Promise<unknown>) =>
  act.then(
    () => 'done',
    (error: Failure) => error.code,
  );

describe('creating a tenant', () => {
  test('gives it a record here and a home in the directory', async () => {
    await createTenant(host, { ...NEW, wrongRegion: 'redirect' });
    expect(await host.registry.readTenant('acme')).toMatchObject({ region: 'us', epoch: 1, suspended: false });
    expect(await host.directory.lookup('acme')).toEqual({ tenant: 'acme', region: 'us', wrongRegion: 'redirect' });
  });

  test('is refused for an id that any region has, another region, or a plan that there is not', async () => {
    await opened.addForeignTenant('globex', 'refuse');
    expect(await codeOf(createTenant(host, { ...NEW, id: 'globex' }))).toBe('already-exists');
    expect(await codeOf(createTenant(host, { ...NEW, region: 'eu' }))).toBe('wrong-region');
    expect(await codeOf(createTenant(host, { ...NEW, plan: 'golden' }))).toBe('plan-unknown');
    expect(await host.registry.readTenant('globex')).toBeUndefined();
  });

  test('leaves nothing here if another region was faster', async () => {
    // The entry appears between the look and the write.
    const put = (entry: DirectoryEntry) => host.directory.put(entry);
    const directory = { lookup: async () => undefined, put, remove: () => Promise.resolve() };
    await opened.addForeignTenant('acme', 'refuse');
    expect(await codeOf(createTenant({ ...host, directory }, NEW))).toBe('already-exists');
    expect(await host.registry.readTenant('acme')).toBeUndefined();
    expect(await host.directory.lookup('acme')).toMatchObject({ region: 'eu' });
  });

  test('that was cut short before the directory is completed by the next change', async () => {
    await createTenant(host, NEW);
    await host.directory.remove('acme');
    await changeTenant(host, 'acme', { name: 'Acme Ltd' });
    expect(await host.directory.lookup('acme')).toMatchObject({ region: 'us' });
  });

  test('of concurrent creators one wins', async () => {
    const codes = await Promise.all(Array.from({ length: 5 }, () => codeOf(createTenant(host, NEW))));
    expect(codes.sort()).toEqual(['already-exists', 'already-exists', 'already-exists', 'already-exists', 'done']);
  });
});

describe('changing a tenant', () => {
  beforeEach(() => createTenant(host, NEW));

  test('changes what is named and nothing else', async () => {
    const before = (await host.registry.readTenant('acme'))!;
    const changed = await changeTenant(host, 'acme', { suspended: true, plan: undefined });
    expect(changed).toEqual({ ...before, suspended: true, epoch: 2 });
  });

  test('is refused if it was changed since it was read, and of concurrent changes none is lost', async () => {
    await changeTenant(host, 'acme', { name: 'A', epoch: 1 });
    expect(await codeOf(changeTenant(host, 'acme', { name: 'B', epoch: 1 }))).toBe('state-conflict');
    const codes = await Promise.all([
      codeOf(changeTenant(host, 'acme', { plan: 'free' })),
      codeOf(changeTenant(host, 'acme', { suspended: true })),
    ]);
    expect(codes.sort()).toEqual(['done', 'state-conflict']);
  });
});

describe('keys', () => {
  beforeEach(() => createTenant(host, NEW));

  test('are told once and kept as a hash', async () => {
    const { record, text } = await createKey(host, ACME, KEY);
    const { secret, keyId, region, tenant } = parseApiKey(text)!;
    expect({ keyId, region, tenant }).toEqual({ keyId: record.id, region: 'us', tenant: 'acme' });
    const stored = JSON.stringify(await host.registry.readKey(record.id));
    expect(stored).not.toContain(secret);
  });

  test('are never stronger or wider than who makes them', async () => {
    expect(await codeOf(createKey(host, ACME, { ...KEY, role: 'operator' }))).toBe('forbidden');
    const narrow = { ...ACME, models: ['row-sum'] };
    expect((await createKey(host, narrow, KEY)).record.models).toEqual(['row-sum']);
    expect(await codeOf(createKey(host, narrow, { ...KEY, models: ['row-sum', 'other'] }))).toBe('forbidden');
    expect(await codeOf(createKey(host, ADMIN, { ...KEY, tenant: 'nobody' }))).toBe('tenant-unknown');
    expect(await codeOf(createKey(host, ADMIN, { ...KEY, expiresAtMs: host.clock.nowMs() }))).toBe('request-invalid');
  });

  test('are revoked by their tenant alone', async () => {
    await createTenant(host, { ...NEW, id: 'initech' });
    const { record } = await createKey(host, ADMIN, KEY);
    expect(await codeOf(revokeKey(host, 'initech', record.id))).toBe('key-unknown');
    expect(await codeOf(revokeKey(host, undefined, record.id))).toBe('key-unknown');
    expect((await host.registry.readKey(record.id))?.revokedAtMs).toBeUndefined();
    await revokeKey(host, 'acme', record.id);
    expect((await host.registry.readKey(record.id))?.revokedAtMs).toBe(host.clock.nowMs());
  });

  test('buy browser tokens for no more than they may themselves, and a browser token buys none', async () => {
    const asked: unknown[] = [];
    const issueBrowserToken_ = async (claims: unknown) => {
      asked.push(claims);
      return { token: 't', expiresAtMs: 0 };
    };
    const ports = { ...host, identity: { ...host.identity, issueBrowserToken: issueBrowserToken_ } };
    const narrow = { ...ACME, models: ['row-sum'] };
    const spec = { tenant: 'acme', user: 'u-1', models: undefined };
    await issueBrowserToken(ports, narrow, spec);
    expect(asked).toEqual([{ tenant: 'acme', issuedBy: 'key:acme.1', user: 'u-1', models: ['row-sum'] }]);
    expect(await codeOf(issueBrowserToken(ports, narrow, { ...spec, models: ['other'] }))).toBe('forbidden');
    expect(await codeOf(issueBrowserToken(ports, { ...ACME, user: 'u-1' }, spec))).toBe('forbidden');
  });
});

describe('erasing', () => {
  test('destroys the key before it touches anything else, and keeps the tenant, its keys and its quota', async () => {
    await createTenant(host, NEW);
    const { record } = await createKey(host, ADMIN, KEY);
    const sealed = await host.dataKeys.seal('acme', 'job/1', new Uint8Array([1]));
    const order: string[] = [];
    const destroy = async (id: string) => {
      order.push('key');
      await host.dataKeys.destroy(id);
    };
    const erase = async (name: string) => {
      order.push(name);
      return [];
    };
    const watched = (name: string) => ({ erase: () => erase(name) }) as never;
    await eraseTenantData(
      {
        ...host,
        dataKeys: { destroy } as never,
        jobs: watched('jobs'),
        queue: watched('queue'),
        idempotency: watched('idempotency'),
        quarantine: watched('quarantine'),
        captures: watched('captures'),
        limits: watched('limits'),
      },
      'acme',
    );
    expect([order[0], order.slice(1).sort()]).toEqual([
      'key',
      ['captures', 'idempotency', 'jobs', 'quarantine', 'queue'],
    ]);
    expect(await codeOf(host.dataKeys.open('acme', 'job/1', sealed))).toBe('data-erased');
    expect(await host.registry.readTenant('acme')).toBeDefined();
    expect((await host.registry.readKey(record.id))?.revokedAtMs).toBeUndefined();
    expect(await codeOf(eraseTenantData(host, 'nobody'))).toBe('tenant-unknown');
  });

  test('removal suspends first and waits until every handler knows, then leaves nothing', async () => {
    await createTenant(host, NEW);
    const { record } = await createKey(host, ADMIN, KEY);
    const asleep = Promise.withResolvers<void>();
    const sleep = (ms: number) => {
      asleep.resolve();
      return host.clock.sleep(ms);
    };
    const removal = removeTenant({ ...host, clock: { nowMs: () => host.clock.nowMs(), sleep } }, 'acme');
    await asleep.promise;
    await opened.local.clock.advance(1000);
    expect(await host.registry.readTenant('acme')).toMatchObject({ suspended: true });
    expect((await host.registry.readKey(record.id))?.revokedAtMs).toBeDefined();
    await opened.local.clock.advance(500);
    await removal;
    expect(await host.registry.readTenant('acme')).toBeUndefined();
    expect(await host.directory.lookup('acme')).toBeUndefined();
    expect(await host.registry.readKey(record.id)).toBeUndefined();
  });
});

test('a plan is replaced only on top of what was read', async () => {
  const { limits } = DEFAULT_PLANS[0]!;
  expect(await putPlan(host, 'trial', limits, 0)).toMatchObject({ epoch: 1 });
  expect(await codeOf(putPlan(host, 'trial', limits, 0))).toBe('state-conflict');
  expect(await putPlan(host, 'trial', { ...limits, weight: 2 }, undefined)).toMatchObject({ epoch: 2 });
});

test('an issuer’s keys come over https or from this machine, and only an issuer of all tenants makes operators', async () => {
  const issuer = { issuer: 'https://id.example', audience: 'a', tenants: ['acme'], maxRole: 'tenant-admin' } as const;
  const jwksUri = 'https://id.example/jwks';
  expect(await codeOf(putIssuer(host, { ...issuer, jwksUri }))).toBe('done');
  expect(await codeOf(putIssuer(host, { ...issuer, jwksUri: 'http://127.0.0.1:1/jwks' }))).toBe('done');
  expect(await codeOf(putIssuer(host, { ...issuer, jwksUri: 'http://id.example/jwks' }))).toBe('request-invalid');
  expect(await codeOf(putIssuer(host, { ...issuer, jwksUri, maxRole: 'operator' }))).toBe('request-invalid');
  expect(await codeOf(putIssuer(host, { ...issuer, jwksUri, maxRole: 'operator', tenants: ['*'] }))).toBe('done');
});
