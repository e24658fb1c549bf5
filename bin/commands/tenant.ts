import type { Command } from 'commander';
import type { z } from 'zod';
import type { keyCreatedJson, keyJson, planJson, tenantJson } from '../../core/api/schemas.ts';
import { request } from '../client.ts';
import { connect, type RemoteOptions, remote } from '../options.ts';
import { printResult } from '../output.ts';

type Tenant = z.infer<typeof tenantJson>;
type Page<T> = { readonly items: readonly T[] };

export function addTenantCommands(program: Command): void {
  const tenant = program.command('tenant').description('customer accounts of a region');
  remote(tenant.command('create <id>').description('create a tenant in the region talked to'))
    .option('--name <name>', 'name for people')
    .option('--plan <plan>', 'free, pro or enterprise', 'free')
    .action(create);
  remote(tenant.command('list').description('tenants of the region')).action(list);
  remote(tenant.command('set-plan <id> <plan>').description('move a tenant to another plan')).action(setPlan);
  remote(
    tenant
      .command('set-pool <id> [pool]')
      .description('give a tenant workers of its own (see `sluice start --pool`); without a pool it has none any more'),
  ).action(setPool);
  remote(tenant.command('usage <id>').description("today's use against the plan, and the month's")).action(usage);
  remote(
    tenant
      .command('capture <id> <consent>')
      .description('let predictions of a tenant be kept, encrypted, or erase them: on, with a key of its own, or off'),
  ).action(capture);
  remote(tenant.command('erase <id>').description('destroy the data of a tenant for ever'))
    .requiredOption('--confirm <id>', 'the tenant id once more')
    .action(erase);
  addKeyCommands(program);
  remote(program.command('plans').description('plans of the region')).action(plans);
}

function addKeyCommands(program: Command): void {
  const key = program.command('key').description('API keys of a tenant');
  remote(key.command('create <tenant>').description('create an API key; it is shown once'))
    .option('--role <role>', 'tenant-user or tenant-admin', 'tenant-user')
    .option('--label <label>', 'what it is for', 'made by sluice key create')
    .action(createKey);
  remote(key.command('list <tenant>').description('keys of a tenant, without their secrets')).action(listKeys);
  remote(key.command('revoke <tenant> <keyId>').description('revoke a key; in force within a second')).action(
    revokeKey,
  );
}

async function create(
  id: string,
  options: RemoteOptions & { readonly name?: string; readonly plan: string },
): Promise<void> {
  const tenant = await request<Tenant>(await connect(options), 'POST', '/control/v1/tenants', {
    id,
    name: options.name ?? id,
    plan: options.plan,
  });
  printTenants([tenant], options);
}

async function list(options: RemoteOptions): Promise<void> {
  const page = await request<Page<Tenant>>(await connect(options), 'GET', '/control/v1/tenants?limit=1000');
  printTenants(page.items, options);
}

async function setPlan(id: string, plan: string, options: RemoteOptions): Promise<void> {
  printTenants([await request<Tenant>(await connect(options), 'PATCH', tenantPath(id), { plan })], options);
}

async function setPool(id: string, pool: string | undefined, options: RemoteOptions): Promise<void> {
  const body = { pool: pool ?? null };
  printTenants([await request<Tenant>(await connect(options), 'PATCH', tenantPath(id), body)], options);
}

async function usage(id: string, options: RemoteOptions): Promise<void> {
  const used = await request<Record<string, unknown>>(await connect(options), 'GET', `${tenantPath(id)}/usage`);
  printResult(options, Object.entries(used).flatMap(flat), ['what', 'value'], ([what, value]) => [what, String(value)]);
}

/** Members of a member by names such as `month.cost_usd`. */
function flat([what, value]: [string, unknown]): (readonly [string, unknown])[] {
  if (typeof value !== 'object' || value === null) return [[what, value]];
  return Object.entries(value).map(([member, inner]) => [`${what}.${member}`, inner]);
}

async function capture(id: string, consent: string, options: RemoteOptions): Promise<void> {
  if (consent !== 'on' && consent !== 'off') throw new Error(`consent is on or off, not ${consent}`);
  const body = { consent: consent === 'on' };
  printTenants(
    [await request<Tenant>(await connect(options), 'PUT', `${tenantPath(id)}/capture-consent`, body)],
    options,
  );
}

async function erase(id: string, options: RemoteOptions & { readonly confirm: string }): Promise<void> {
  if (options.confirm !== id) throw new Error(`--confirm says ${options.confirm}, not ${id}: nothing was erased`);
  await request(await connect(options), 'DELETE', `${tenantPath(id)}/data`);
  console.log(`erased the data of ${id}`);
}

async function plans(options: RemoteOptions): Promise<void> {
  const page = await request<Page<z.infer<typeof planJson>>>(await connect(options), 'GET', '/control/v1/plans');
  const names = Object.keys(page.items[0]?.limits ?? {});
  printResult(options, page.items, ['plan', ...names], ({ id, limits }) => [id, ...Object.values(limits).map(String)]);
}

async function createKey(
  tenant: string,
  options: RemoteOptions & { readonly role: string; readonly label: string },
): Promise<void> {
  const body = { role: options.role, label: options.label };
  const made = await request<z.infer<typeof keyCreatedJson>>(
    await connect(options),
    'POST',
    `${tenantPath(tenant)}/keys`,
    body,
  );
  printResult(options, [made], ['key id', 'API key (shown once)'], (key) => [key.id, key.key]);
}

async function listKeys(tenant: string, options: RemoteOptions): Promise<void> {
  const page = await request<Page<z.infer<typeof keyJson>>>(
    await connect(options),
    'GET',
    `${tenantPath(tenant)}/keys`,
  );
  printResult(options, page.items, ['key id', 'role', 'label', 'created', 'state'], (key) => [
    key.id,
    key.role,
    key.label,
    new Date(key.created_at_ms).toISOString().slice(0, 19),
    key.revoked_at_ms == null ? 'active' : 'revoked',
  ]);
}

async function revokeKey(tenant: string, keyId: string, options: RemoteOptions): Promise<void> {
  await request(await connect(options), 'DELETE', `${tenantPath(tenant)}/keys/${encodeURIComponent(keyId)}`);
  console.log(`revoked ${keyId}`);
}

function tenantPath(id: string): string {
  return `/control/v1/tenants/${encodeURIComponent(id)}`;
}

function printTenants(tenants: readonly Tenant[], options: RemoteOptions): void {
  printResult(
    options,
    tenants,
    ['tenant', 'name', 'region', 'plan', 'pool', 'wrong region', 'capture', 'state'],
    (tenant) => [
      tenant.id,
      tenant.name,
      tenant.region,
      tenant.plan,
      tenant.pool ?? '',
      tenant.wrong_region,
      tenant.capture_consent ? 'on' : 'off',
      tenant.suspended ? 'suspended' : 'active',
    ],
  );
}
