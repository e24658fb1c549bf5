import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Failure } from '../../core/failure.ts';
import type { Principal } from '../../core/tenancy/principal.ts';
import { MINUTE_MS } from '../../core/units.ts';
import { openTestHost, type TestHost } from '../support/http-host.ts';

const OPERATOR: Principal = { id: 'key:1', tenant: undefined, role: 'operator', models: undefined, user: undefined };
const ADMIN: Principal = { id: 'key:acme.1', tenant: 'acme', role: 'tenant-admin', models: undefined, user: undefined };
const PLAN = '/control/v1/plans/gold';
const KEYS = '/control/v1/tenants/acme/keys';

let host: TestHost;
beforeEach(async () => {
  host = await openTestHost();
  await host.addTenant('acme');
});
afterEach(() => host.close());

async function recorded() {
  const stored = await host.local.ports.audits.walk(1, 1000);
  return stored.map(({ entry }) => entry!);
}

const post = (path: string, as: Principal | undefined, body: unknown = { label: 'k' }) =>
  host.call('POST', path, { ...(as && { as }), body: JSON.stringify(body) });

test('what cannot be recorded is refused, and changes nothing', async () => {
  const append = vi.spyOn(host.host.audits, 'append').mockRejectedValue(new Failure('storage-unavailable'));
  const answer = await post(KEYS, ADMIN);
  expect([answer.status, JSON.parse(answer.text).code]).toEqual([503, 'storage-unavailable']);
  append.mockRestore();
  expect(await host.local.ports.registry.listKeys('acme')).toEqual([]);
  expect((await host.call('GET', KEYS, { as: ADMIN })).status).toBe(200);
});

test('that it begins is recorded before it is done, and stays where its end cannot be', async () => {
  const { audits } = host.host;
  const append = audits.append.bind(audits);
  const seen: number[] = [];
  vi.spyOn(audits, 'append').mockImplementation(async (draft) => {
    if (draft.outcome.kind === 'ended') throw new Failure('storage-unavailable');
    seen.push((await host.local.ports.registry.listKeys('acme')).length);
    return append(draft);
  });
  expect((await post(KEYS, ADMIN)).status).toBe(201);
  expect(seen).toEqual([0]);
  expect(await recorded()).toMatchObject([{ by: 'key:acme.1', action: 'key-create', outcome: { kind: 'begun' } }]);
  expect(host.local.logged.join()).toContain('the end of a request was not recorded');
});

test('questions are not recorded, nor browser tokens, and of a body nothing is', async () => {
  await host.call('GET', KEYS, { as: ADMIN });
  await post('/control/v1/tenants/acme/browser-tokens', ADMIN, { user: 'ann' });
  expect(await recorded()).toEqual([]);
  await post(KEYS, ADMIN, { label: 'a secret label' });
  await post(KEYS, ADMIN, { label: 'k', lable: 'misspelt' });
  const entries = await recorded();
  expect(entries.map(({ outcome }) => outcome.kind)).toEqual(['begun', 'ended', 'begun', 'ended']);
  expect(entries[3]).toMatchObject({ outcome: { status: 400, code: 'field-unknown', begunSeq: 3 } });
  expect(JSON.stringify(entries)).not.toMatch(/secret|misspelt/);
});

test('who is refused is recorded, with nothing that strangers name, and a flood of them is counted', async () => {
  await host.call('PUT', PLAN, {});
  const [stranger] = await recorded();
  expect(stranger).toMatchObject({ by: 'nobody', role: 'nobody', target: {}, outcome: { kind: 'ended', status: 401 } });
  for (let times = 0; times < 100; times += 1) await host.call('PUT', PLAN, { as: ADMIN });
  expect((await recorded()).length).toBe(60);
  await host.local.clock.advance(MINUTE_MS);
  await host.call('PUT', PLAN, { as: ADMIN });
  expect((await recorded()).at(-1)).toMatchObject({
    by: 'key:acme.1',
    tenant: 'acme',
    skipped: 41,
    target: { plan: 'gold' },
  });
});

test("another region's tenant is never noted down here", async () => {
  await host.addForeignTenant('globex', 'refuse');
  const answer = await host.call('DELETE', '/control/v1/tenants/globex/data', { as: OPERATOR });
  expect(answer.status).toBe(421);
  expect((await host.call('DELETE', '/control/v1/tenants/globex/data', { as: ADMIN })).status).toBe(403);
  const foreign: Principal = { ...ADMIN, id: 'key:globex.1', tenant: 'globex' };
  expect((await post('/control/v1/tenants/globex/keys', foreign)).status).toBe(421);
  expect(JSON.stringify(await recorded())).not.toContain('globex');
});

test('a tenant reads what it was refused, and not that another was refused at its door', async () => {
  await host.addTenant('initech');
  await host.call('DELETE', '/control/v1/tenants/initech/data', { as: ADMIN });
  const { audits } = host.local.ports;
  expect(await audits.newest('acme', 99, 10)).toMatchObject([
    { target: { tenant: 'initech' }, outcome: { status: 403 } },
  ]);
  expect(await audits.newest('initech', 99, 10)).toEqual([]);
});
