import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ModelVersion } from '../../core/models/version.ts';
import type { Platform } from '../../core/ports/platform.ts';
import { createKey } from '../../core/tenancy/manage-keys.ts';
import { changeTenant, createTenant } from '../../core/tenancy/manage-tenants.ts';
import type { Principal, Role } from '../../core/tenancy/principal.ts';
import type { Tenant, WrongRegion } from '../../core/tenancy/tenant.ts';
import { ensureSampleModel } from '../../models/build.ts';
import type { SampleName } from '../../models/catalogue.ts';
import { addVersion } from './add-version.ts';
import type { ModelFiles } from './bad-models.ts';
import { ApiClient } from './http-client.ts';

/** Where built sample models are kept from one run to the next. */
const MODEL_CACHE = join(import.meta.dirname, '..', '..', '.cache', 'models');
const INSTALLER: Principal = { id: 'installer', tenant: undefined, role: 'admin', models: undefined, user: undefined };

/** What every host can be started with. */
export type StartOptions = {
  /** Default: us alone, as a second region costs a second runner. */
  readonly regions?: readonly string[];
  /** Pushed to every region before the platform is given out: samples by name, or files. */
  readonly models?: readonly (SampleName | ModelFiles)[];
  /** Of the pool `default`. */
  readonly runners?: number;
  readonly corsOrigins?: readonly string[];
};

/** Starts the same platform in one of its forms: flows take one and run over any. */
export type StartPlatform = (options?: StartOptions) => Promise<PlatformUnderTest>;

export type TenantOptions = {
  readonly region?: string;
  readonly plan?: string;
  readonly overrides?: Tenant['overrides'];
  readonly wrongRegion?: WrongRegion;
  readonly allowedOrigins?: readonly string[];
};

export type KeyOptions = { readonly role?: Role; readonly models?: readonly string[]; readonly expiresAtMs?: number };

/** A region's address, and its ports as a process of its own would open them: a test may look and put things there. */
export type RegionUnderTest = { readonly url: string; readonly platform: Platform };

/** A platform in any of its forms, and what tests do with one. */
export abstract class PlatformUnderTest {
  /** Lines of JSON that all of its processes logged. */
  abstract readonly logLines: readonly string[];

  abstract region(name?: string): RegionUnderTest;

  /** How often a worker has begun each job of the region, by its id. */
  abstract startedJobs(region?: string): Promise<ReadonlyMap<string, number>>;

  /** As told by SIGTERM: answers who waits and writes everything down. A second call waits for the first. */
  abstract stop(): Promise<void>;

  /** Stops and forgets the data. */
  abstract end(): Promise<void>;

  /** A caller of a region with this credential. */
  client(credential: string | undefined, region = 'us'): ApiClient {
    return new ApiClient(this.region(region).url, credential);
  }

  /** A tenant of its own plan, enterprise unless told otherwise, and a caller with an admin key of it. */
  async addTenant(id: string, options: TenantOptions = {}): Promise<ApiClient> {
    const { region = 'us', plan = 'enterprise', overrides = {}, wrongRegion = 'refuse', allowedOrigins = [] } = options;
    const spec = { id, name: id, region, plan, overrides, wrongRegion, allowedOrigins };
    await createTenant(this.region(region).platform, spec);
    return this.addKey(id, { role: 'tenant-admin' }, region);
  }

  /** In force within a second. */
  async changeTenant(id: string, change: Parameters<typeof changeTenant>[2], region = 'us'): Promise<void> {
    await changeTenant(this.region(region).platform, id, change);
  }

  /** A caller with a new key of a tenant, tenant-user unless told otherwise; without a tenant an operator's or admin's. */
  async addKey(tenant: string | undefined, options: KeyOptions = {}, region = 'us'): Promise<ApiClient> {
    return this.client(await this.newKey(tenant, options, region), region);
  }

  /** The key itself, as a person would paste it. */
  async newKey(tenant: string | undefined, options: KeyOptions = {}, region = 'us'): Promise<string> {
    const { role = tenant === undefined ? 'operator' : 'tenant-user', models, expiresAtMs } = options;
    const spec = { tenant, role, models, expiresAtMs, label: 'test' };
    const { text } = await createKey(this.region(region).platform, INSTALLER, spec);
    return text;
  }

  /** Without validation: see `addVersion`. */
  async push(model: SampleName | ModelFiles, region = 'us'): Promise<ModelVersion> {
    const files = typeof model === 'string' ? await readSample(model) : model;
    return addVersion(this.region(region).platform, files, INSTALLER.id);
  }
}

/** The files of a sample model, built if need be. */
export async function readSample(name: SampleName): Promise<ModelFiles> {
  const folder = await ensureSampleModel(name, MODEL_CACHE);
  return {
    model: await readFile(join(folder, 'model.onnx')),
    manifest: JSON.parse(await readFile(join(folder, 'manifest.json'), 'utf8')) as ModelFiles['manifest'],
    golden: await readFile(join(folder, 'golden.jsonl'), 'utf8'),
    tokenizer: await readFile(join(folder, 'tokenizer.json')).catch(() => undefined),
    reference: await readFile(join(folder, 'reference.json'), 'utf8').catch(() => undefined),
  };
}
