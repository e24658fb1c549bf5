import { Failure } from '../failure.ts';
import type { Platform } from '../ports/platform.ts';
import type { Tenant, WrongRegion } from './tenant.ts';
import { wrongRegion } from './wrong-region.ts';

type TenantPorts = Pick<Platform, 'registry' | 'directory' | 'config' | 'clock'>;

export type NewTenant = {
  readonly id: string;
  readonly name: string;
  /** Must be the region that is asked; undefined is that one. */
  readonly region: string | undefined;
  readonly plan: string;
  readonly overrides: Tenant['overrides'];
  readonly wrongRegion: WrongRegion;
  readonly allowedOrigins: readonly string[];
  /** Workers of its own; undefined: those of each model. */
  readonly pool?: string | undefined;
};

/** Members that are undefined stay as they are. */
export type TenantChange = {
  readonly name?: string | undefined;
  readonly plan?: string | undefined;
  /** Replaces all of them. */
  readonly overrides?: Tenant['overrides'] | undefined;
  readonly wrongRegion?: WrongRegion | undefined;
  readonly allowedOrigins?: readonly string[] | undefined;
  readonly suspended?: boolean | undefined;
  /** null: none of its own any more. */
  readonly pool?: string | null | undefined;
  /** Replaces all of them: versions by model. */
  readonly pins?: Readonly<Record<string, string>> | undefined;
  /** The epoch that the caller has read; `state-conflict` if it is no longer that. */
  readonly epoch?: number | undefined;
};

/**
 * A tenant whose home is this region: its record first, then its directory entry. `already-exists` if any region has it,
 * `wrong-region`, `plan-unknown`, `pool-unknown`. A creation that was cut short between the two is completed by `changeTenant`.
 */
export async function createTenant(ports: TenantPorts, spec: NewTenant): Promise<Tenant> {
  const { region } = ports.config;
  if (spec.region !== undefined && spec.region !== region) throw wrongRegion(ports.config, spec.region);
  await expectPlan(ports, spec.plan);
  expectPool(ports, spec.pool);
  const entry = await ports.directory.lookup(spec.id);
  if (entry !== undefined) throw new Failure('already-exists', { field: 'id' });
  const tenant: Tenant = {
    id: spec.id,
    name: spec.name,
    region,
    plan: spec.plan,
    overrides: spec.overrides,
    wrongRegion: spec.wrongRegion,
    allowedOrigins: [...spec.allowedOrigins],
    suspended: false,
    pool: spec.pool,
    captureConsent: false,
    createdAtMs: Math.floor(ports.clock.nowMs()),
    epoch: 1,
  };
  await ports.registry.writeTenant(tenant);
  try {
    await publish(ports, tenant);
  } catch (error) {
    // Another region was first: the id is its, and no trace may stay here.
    if (error instanceof Failure && error.code === 'already-exists') await ports.registry.removeTenant(tenant.id);
    throw error;
  }
  return tenant;
}

/** `tenant-unknown` also for a tenant of another region: nothing of it is here. */
export async function readTenant(ports: Pick<Platform, 'registry'>, id: string): Promise<Tenant> {
  const tenant = await ports.registry.readTenant(id);
  if (tenant === undefined) throw new Failure('tenant-unknown', { field: 'tenant' });
  return tenant;
}

/**
 * Applies the members that are there, and brings the directory up to date. `state-conflict`, `plan-unknown`, `pool-unknown`, `tenant-unknown`,
 * `version-unknown` of a pin.
 */
export async function changeTenant(ports: TenantPorts, id: string, change: TenantChange): Promise<Tenant> {
  const { epoch, ...members } = change;
  const tenant = await readTenant(ports, id);
  if (epoch !== undefined && epoch !== tenant.epoch) throw new Failure('state-conflict', { epoch: tenant.epoch });
  if (members.plan !== undefined) await expectPlan(ports, members.plan);
  expectPool(ports, members.pool ?? undefined);
  await expectVersions(ports, members.pins ?? {});
  const changed: Tenant = {
    ...tenant,
    name: members.name ?? tenant.name,
    plan: members.plan ?? tenant.plan,
    overrides: members.overrides ?? tenant.overrides,
    wrongRegion: members.wrongRegion ?? tenant.wrongRegion,
    allowedOrigins: [...(members.allowedOrigins ?? tenant.allowedOrigins)],
    suspended: members.suspended ?? tenant.suspended,
    pool: members.pool === undefined ? tenant.pool : (members.pool ?? undefined),
    pins: members.pins === undefined ? tenant.pins : { ...members.pins },
    epoch: tenant.epoch + 1,
  };
  await ports.registry.writeTenant(changed);
  await publish(ports, changed);
  return changed;
}

/** Keeps a tenant on a version of a model, or lets it go (undefined), and leaves its other pins. As `changeTenant`. */
export async function pinVersion(
  ports: TenantPorts,
  id: string,
  model: string,
  version: string | undefined,
): Promise<Tenant> {
  const { pins = {}, epoch } = await readTenant(ports, id);
  const { [model]: _, ...others } = pins;
  return changeTenant(ports, id, { pins: version === undefined ? others : { ...others, [model]: version }, epoch });
}

async function publish(ports: TenantPorts, tenant: Tenant): Promise<void> {
  await ports.directory.put({ tenant: tenant.id, region: tenant.region, wrongRegion: tenant.wrongRegion });
}

async function expectPlan(ports: Pick<Platform, 'registry'>, plan: string): Promise<void> {
  if ((await ports.registry.readPlan(plan)) === undefined) throw new Failure('plan-unknown', { field: 'plan', plan });
}

async function expectVersions(ports: Pick<Platform, 'registry'>, pins: Tenant['pins'] & object): Promise<void> {
  for (const [model, version] of Object.entries(pins)) {
    if ((await ports.registry.readVersion(model, version)) === undefined)
      throw new Failure('version-unknown', { field: 'pins', model, version });
  }
}

function expectPool({ config }: Pick<Platform, 'config'>, pool: string | undefined): void {
  if (pool === undefined || config.pools.includes(pool)) return;
  throw new Failure('pool-unknown', { field: 'pool', pool, known: config.pools });
}
