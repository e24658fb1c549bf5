import { expect } from 'vitest';
import type { ModelVersion } from '../../core/models/version.ts';
import type { ApiKeyRecord, IssuerRecord, Page, Registry } from '../../core/ports/registry.ts';
import { DEFAULT_PLANS } from '../../core/tenancy/plan.ts';
import type { Tenant } from '../../core/tenancy/tenant.ts';
import { aVersion } from '../support/jobs.ts';
import { type Adapter, atOnce, type Case, countBy, describeContract, failureCodeOf, type Subject } from './contract.ts';

type RegistryCase = Case<Subject<Registry>>;

const FREE = DEFAULT_PLANS[0]!;

function aTenant(changes: Partial<Tenant> = {}): Tenant {
  return {
    id: 'acme',
    name: 'Acme',
    region: 'us',
    plan: 'pro',
    overrides: { weight: 2 },
    wrongRegion: 'refuse',
    allowedOrigins: ['https://acme.example'],
    suspended: false,
    pool: 'gpu',
    captureConsent: true,
    createdAtMs: 1,
    epoch: 1,
    ...changes,
  };
}

function aKey(changes: Partial<ApiKeyRecord> = {}): ApiKeyRecord {
  return {
    id: 'k1',
    secretSha256: 'ab'.repeat(32),
    tenant: 'acme',
    role: 'tenant-user',
    models: ['m'],
    label: 'server',
    createdAtMs: 1,
    expiresAtMs: undefined,
    revokedAtMs: undefined,
    ...changes,
  };
}

const ISSUER: IssuerRecord = {
  issuer: 'https://login.example',
  audience: 'sluice',
  jwksUri: 'https://login.example/keys',
  tenants: ['acme'],
  maxRole: 'tenant-admin',
};

function digestOf(index: number): string {
  return index.toString(16).padStart(64, '0');
}

function pushed(changes: { model?: string; digest?: string } = {}): Omit<ModelVersion, 'version'> {
  const { version: _, ...rest } = aVersion(changes.model === undefined ? {} : { model: changes.model });
  return { ...rest, digest: changes.digest ?? digestOf(0) };
}

async function allPages<T>(read: (cursor?: string) => Promise<Page<T>>): Promise<T[]> {
  const items: T[] = [];
  let page = await read();
  for (let pages = 1; pages < 50; pages++) {
    items.push(...page.items);
    if (page.next === undefined) return items;
    page = await read(page.next);
  }
  throw new Error('the list does not end');
}

const tenancy: RegistryCase[] = [
  {
    name: 'reads what was written at once, and after a crash',
    async run(subject) {
      await subject.port.writeTenant(aTenant());
      await subject.port.writePlan(FREE);
      await subject.port.addKey(aKey());
      await subject.port.writeIssuer(ISSUER);
      await subject.port.addVersion(pushed());
      await subject.port.writeRoute({ model: 'm', stable: '1', epoch: 1 });
      const check = async () => {
        const { port } = subject;
        expect(await port.readTenant('acme')).toEqual(aTenant());
        expect(await port.readPlan('free')).toEqual(FREE);
        expect(await port.readKey('k1')).toEqual(aKey());
        expect(await port.listIssuers()).toEqual([ISSUER]);
        expect(await port.readVersion('m', '1')).toEqual({ ...pushed(), version: '1' });
        expect(await port.readRoute('m')).toEqual({ model: 'm', stable: '1', epoch: 1 });
      };
      await check();
      await subject.crash();
      await check();
    },
  },
  {
    name: 'knows nothing of what was never written',
    async run({ port }) {
      expect(await port.readTenant('acme')).toBeUndefined();
      expect(await port.readPlan('free')).toBeUndefined();
      expect(await port.readKey('k1')).toBeUndefined();
      expect(await port.readVersion('m', '1')).toBeUndefined();
      expect(await port.readRoute('m')).toBeUndefined();
      expect(await port.listTenants(10)).toEqual({ items: [], next: undefined });
    },
  },
  {
    name: 'takes the next epoch alone: a stale write changes nothing',
    async run({ port }) {
      expect(await failureCodeOf(port.writeTenant(aTenant({ epoch: 2 })))).toBe('state-conflict');
      await port.writeTenant(aTenant());
      expect(await failureCodeOf(port.writeTenant(aTenant({ name: 'Other' })))).toBe('already-exists');
      await port.writeTenant(aTenant({ name: 'Second', epoch: 2 }));
      for (const epoch of [2, 4]) {
        expect(await failureCodeOf(port.writeTenant(aTenant({ name: 'Stale', epoch })))).toBe('state-conflict');
      }
      expect(await port.readTenant('acme')).toEqual(aTenant({ name: 'Second', epoch: 2 }));
      await port.writePlan(FREE);
      expect(await failureCodeOf(port.writePlan(FREE))).toBe('already-exists');
      expect(await failureCodeOf(port.writePlan({ ...FREE, epoch: 3 }))).toBe('state-conflict');
    },
  },
  {
    name: 'lets one of concurrent writers of an epoch win, and reads what it wrote',
    async run({ port }) {
      await port.writeTenant(aTenant());
      const answers = await atOnce(10, (index) =>
        port.writeTenant(aTenant({ name: `Writer ${index}`, epoch: 2 })).then(
          () => 'written',
          (error) => error.code,
        ),
      );
      expect(countBy(answers, String)).toEqual({ written: 1, 'state-conflict': 9 });
      expect((await port.readTenant('acme'))?.name).toBe(`Writer ${answers.indexOf('written')}`);
    },
  },
  {
    name: 'lists in order of id, page by page, each once',
    async run({ port }) {
      const ids = ['delta', 'acme', 'charlie', 'bravo', 'echo'];
      for (const id of ids) await port.writeTenant(aTenant({ id }));
      for (const limit of [1, 2, 5, 10]) {
        const listed = await allPages((cursor) => port.listTenants(limit, cursor));
        expect(listed.map(({ id }) => id)).toEqual([...ids].sort());
      }
    },
  },
  {
    name: 'removes a tenant, which may then be created anew without its old keys',
    async run({ port }) {
      await port.writeTenant(aTenant());
      await port.readTenant('acme');
      await port.addKey(aKey());
      await port.addKey(aKey({ id: 'k2', tenant: 'globex' }));
      await port.readKey('k1');
      await port.removeTenant('acme');
      expect(await port.readTenant('acme')).toBeUndefined();
      expect(await port.readKey('k1')).toBeUndefined();
      expect(await port.readKey('k2')).toBeDefined();
      await port.writeTenant(aTenant({ name: 'New' }));
      expect((await port.readTenant('acme'))?.name).toBe('New');
    },
  },
  {
    name: "lists a tenant's keys and no other's, and those of no tenant",
    async run({ port }) {
      for (const key of [aKey({ id: 'k2' }), aKey(), aKey({ id: 'k3', tenant: 'globex' })]) await port.addKey(key);
      await port.addKey(aKey({ id: 'k4', tenant: undefined, role: 'operator' }));
      const ids = async (tenant: string | undefined) => (await port.listKeys(tenant)).map(({ id }) => id);
      expect(await ids('acme')).toEqual(['k1', 'k2']);
      expect(await ids('globex')).toEqual(['k3']);
      expect(await ids(undefined)).toEqual(['k4']);
      expect(await ids('initech')).toEqual([]);
    },
  },
  {
    name: 'adds a key id once and keeps the first time of its revocation',
    async run({ port }) {
      const answers = await atOnce(5, (index) =>
        port.addKey(aKey({ label: `${index}` })).then(
          () => 'added',
          (error) => error.code,
        ),
      );
      expect(countBy(answers, String)).toEqual({ added: 1, 'already-exists': 4 });
      await port.revokeKey('k1', 10);
      await port.revokeKey('k1', 20);
      expect((await port.readKey('k1'))?.revokedAtMs).toBe(10);
      expect(await failureCodeOf(port.revokeKey('k9', 10))).toBe('key-unknown');
    },
  },
  {
    name: 'replaces and removes issuers',
    async run({ port }) {
      await port.writeIssuer(ISSUER);
      await port.writeIssuer({ ...ISSUER, tenants: ['*'] });
      expect(await port.listIssuers()).toEqual([{ ...ISSUER, tenants: ['*'] }]);
      await port.removeIssuer(ISSUER.issuer);
      await port.removeIssuer(ISSUER.issuer);
      expect(await port.listIssuers()).toEqual([]);
    },
  },
];

const models: RegistryCase[] = [
  {
    name: 'numbers versions in order of pushing: concurrent pushes get different numbers, the same push its own again',
    async run({ port }) {
      const added = await atOnce(12, (index) => port.addVersion(pushed({ digest: digestOf(index) })));
      expect(added.map(({ version }) => Number(version)).sort((a, b) => a - b)).toEqual(
        Array.from({ length: 12 }, (_, index) => index + 1),
      );
      for (const [index, { version }] of added.entries()) {
        expect(await port.addVersion(pushed({ digest: digestOf(index) }))).toEqual({ version, added: false });
        expect((await port.readVersion('m', version))?.digest).toBe(digestOf(index));
      }
      expect(await port.addVersion(pushed({ model: 'n', digest: digestOf(1) }))).toEqual({ version: '1', added: true });
      const listed = await allPages((cursor) => port.listVersions('m', 5, cursor));
      expect(listed.map(({ version }) => version)).toEqual(Array.from({ length: 12 }, (_, index) => `${index + 1}`));
      const down = await allPages((cursor) => port.listVersions('m', 5, cursor, 'newest'));
      expect(down).toEqual(listed.toReversed());
      for (const version of ['01', '1.0', '13', '0', 'x']) expect(await port.readVersion('m', version)).toBeUndefined();
    },
  },
  {
    name: 'routes a pushed model to nothing until told, and by the next epoch alone',
    async run({ port }) {
      await port.addVersion(pushed());
      await port.addVersion(pushed({ model: 'a' }));
      expect(await port.readRoute('m')).toEqual({ model: 'm', stable: undefined, epoch: 0 });
      await port.writeRoute({ model: 'm', stable: '1', epoch: 1 });
      expect(await failureCodeOf(port.writeRoute({ model: 'm', stable: '2', epoch: 1 }))).toBe('already-exists');
      expect(await failureCodeOf(port.writeRoute({ model: 'm', stable: '2', epoch: 3 }))).toBe('state-conflict');
      const answers = await atOnce(5, (index) =>
        port.writeRoute({ model: 'm', stable: `${index + 2}`, epoch: 2 }).then(
          () => `${index + 2}`,
          (error) => error.code,
        ),
      );
      const winner = answers.find((answer) => answer !== 'state-conflict');
      expect(await port.readRoute('m')).toEqual({ model: 'm', stable: winner, epoch: 2 });
      const listed = await allPages((cursor) => port.listModels(1, cursor));
      expect(listed.map(({ model, stable }) => [model, stable])).toEqual([
        ['a', undefined],
        ['m', winner],
      ]);
      expect((await port.listModels(5, 'b')).items.map(({ model }) => model)).toEqual(['m']);
    },
  },
];

export const registryCases: readonly RegistryCase[] = [...tenancy, ...models];

export function describeRegistryContract(name: string, adapter: Adapter<Registry>): void {
  describeContract(`registry: ${name}`, registryCases, adapter);
}
