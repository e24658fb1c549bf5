import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { JsonLog } from '../../adapters/node/json-log.ts';
import { SystemClock } from '../../adapters/node/system-clock.ts';
import type { Reach } from '../../adapters/webhooks/target.ts';
import type { ModelVersion } from '../../core/models/version.ts';
import type { Log } from '../../core/ports/log.ts';
import { createKey } from '../../core/tenancy/manage-keys.ts';
import { changeTenant, createTenant } from '../../core/tenancy/manage-tenants.ts';
import type { Principal, Role } from '../../core/tenancy/principal.ts';
import type { Tenant, WrongRegion } from '../../core/tenancy/tenant.ts';
import { type EmbeddedPlatform, startPlatform } from '../../embedded/platform.ts';
import type { Region } from '../../embedded/region.ts';
import type { Pools } from '../../embedded/workers.ts';
import { ensureSampleModel } from '../../models/build.ts';
import type { SampleName } from '../../models/catalogue.ts';
import { addVersion } from './add-version.ts';
import type { ModelFiles } from './bad-models.ts';
import { ApiClient } from './http-client.ts';

/** Where built sample models are kept from one run to the next. */
const MODEL_CACHE = join(import.meta.dirname, '..', '..', '.cache', 'models');
const INSTALLER: Principal = { id: 'installer', tenant: undefined, role: 'admin', models: undefined, user: undefined };

export type RunningOptions = {
  /** Default: us alone, as a second region costs a second runner. */
  readonly regions?: readonly string[];
  /** Pushed to every region before the platform is given out: samples by name, or files. */
  readonly models?: readonly (SampleName | ModelFiles)[];
  /** Of the pool `default`. */
  readonly runners?: number;
  /** Runners of other pools. */
  readonly pools?: Pools;
  readonly corsOrigins?: readonly string[];
  /** A folder of an earlier platform; a new one is removed when the platform stops. */
  readonly dataFolder?: string;
  /** Default: `anywhere`, as receivers are on this machine. */
  readonly webhookReach?: Reach;
  /** Put around the log that is captured. */
  readonly wrapLog?: (log: Log) => Log;
};

export type TenantOptions = {
  readonly region?: string;
  readonly plan?: string;
  readonly overrides?: Tenant['overrides'];
  readonly wrongRegion?: WrongRegion;
  readonly allowedOrigins?: readonly string[];
};

export type KeyOptions = { readonly role?: Role; readonly models?: readonly string[]; readonly expiresAtMs?: number };

/** The embedded platform on free ports, in this process, with every log line in memory from level debug up. */
export class RunningPlatform {
  readonly dataFolder: string;
  readonly logLines: readonly string[];
  readonly #platform: EmbeddedPlatform;
  readonly #isOwnFolder: boolean;
  #stopped: Promise<void> | undefined;

  constructor(platform: EmbeddedPlatform, dataFolder: string, logLines: readonly string[], isOwnFolder: boolean) {
    this.#platform = platform;
    this.dataFolder = dataFolder;
    this.logLines = logLines;
    this.#isOwnFolder = isOwnFolder;
  }

  region(name = 'us'): Region {
    const region = this.#platform.regions[name];
    if (region === undefined) throw new Error(`region ${name} was not started`);
    return region;
  }

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
    const { role = tenant === undefined ? 'operator' : 'tenant-user', models, expiresAtMs } = options;
    const spec = { tenant, role, models, expiresAtMs, label: 'test' };
    const { text } = await createKey(this.region(region).platform, INSTALLER, spec);
    return this.client(text, region);
  }

  /** Without validation: see `addVersion`. */
  async push(model: SampleName | ModelFiles, region = 'us'): Promise<ModelVersion> {
    const files = typeof model === 'string' ? await readSample(model) : model;
    return addVersion(this.region(region).platform, files, INSTALLER.id);
  }

  /** As told by SIGTERM: answers who waits and writes everything down. A second call waits for the first. */
  stop(): Promise<void> {
    this.#stopped ??= this.#platform.stop();
    return this.#stopped;
  }

  /** Stops and forgets the data. */
  async end(): Promise<void> {
    await this.stop();
    if (this.#isOwnFolder) await rm(this.dataFolder, { recursive: true, force: true });
  }
}

export async function startRunning(options: RunningOptions = {}): Promise<RunningPlatform> {
  const dataFolder = options.dataFolder ?? (await mkdtemp(join(tmpdir(), 'sluice-test-')));
  const logLines: string[] = [];
  const log = new JsonLog({ write: (line) => logLines.push(line) }, new SystemClock(), 'debug');
  const platform = await startPlatform({
    dataFolder,
    host: '127.0.0.1',
    ports: Object.fromEntries((options.regions ?? ['us']).map((region) => [region, 0])),
    corsOrigins: options.corsOrigins ?? [],
    webhookReach: options.webhookReach ?? 'anywhere',
    log: options.wrapLog?.(log) ?? log,
    pools: { ...(options.runners === undefined ? {} : { default: options.runners }), ...options.pools },
  });
  const running = new RunningPlatform(platform, dataFolder, logLines, options.dataFolder === undefined);
  try {
    for (const region of Object.keys(platform.regions)) {
      for (const model of options.models ?? []) await running.push(model, region);
    }
  } catch (error) {
    await running.end();
    throw error;
  }
  return running;
}

async function readSample(name: SampleName): Promise<ModelFiles> {
  const folder = await ensureSampleModel(name, MODEL_CACHE);
  return {
    model: await readFile(join(folder, 'model.onnx')),
    manifest: JSON.parse(await readFile(join(folder, 'manifest.json'), 'utf8')) as ModelFiles['manifest'],
    golden: await readFile(join(folder, 'golden.jsonl'), 'utf8'),
    tokenizer: await readFile(join(folder, 'tokenizer.json')).catch(() => undefined),
  };
}
