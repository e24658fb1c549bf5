import { randomBytes } from 'node:crypto';
import { createReadStream, existsSync } from 'node:fs';
import { open, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { Failure } from '../core/failure.ts';
import { type Pushed, pushVersion } from '../core/models/push.ts';
import type { Platform } from '../core/ports/platform.ts';
import { createKey } from '../core/tenancy/manage-keys.ts';
import { changeTenant, createTenant } from '../core/tenancy/manage-tenants.ts';
import type { Principal, Role } from '../core/tenancy/principal.ts';
import { SECOND_MS } from '../core/units.ts';
import type { Region } from './region.ts';

/** The tenants of a first start. */
const SAMPLE_TENANTS = [
  { tenant: 'acme', region: 'us', plan: 'pro' },
  { tenant: 'initech', region: 'us', plan: 'free' },
  { tenant: 'globex', region: 'eu', plan: 'enterprise' },
] as const;

export type SampleCredentials = {
  readonly tenants: readonly {
    readonly tenant: string;
    readonly region: string;
    readonly url: string;
    readonly apiKey: string;
  }[];
  /** `apiKey` is the operator of the first region; `regions` has one of each. */
  readonly operator: { readonly apiKey: string; readonly regions: Readonly<Record<string, string>> };
};

type Regions = Readonly<Record<string, Region>>;

const INSTALLER: Principal = { id: 'installer', tenant: undefined, role: 'admin', models: undefined, user: undefined };

/**
 * Sample tenants, an operator and their keys, written to `<data>/sample-credentials.json` (0600) as the last step: a first
 * start that was cut short is completed by the next one. Addresses are brought up to date on every start.
 */
export async function ensureSampleTenants(regions: Regions, dataFolder: string): Promise<SampleCredentials> {
  const path = join(dataFolder, 'sample-credentials.json');
  const found = existsSync(path) ? (JSON.parse(await readFile(path, 'utf8')) as SampleCredentials) : undefined;
  const credentials = found === undefined ? await createSamples(regions) : withUrls(found, regions);
  if (JSON.stringify(found) !== JSON.stringify(credentials))
    await writePrivate(path, JSON.stringify(credentials, null, 2));
  return credentials;
}

/** Pushes the models that a region does not have. */
export async function ensureModels(
  region: Region,
  folders: readonly string[],
  onProgress: (line: string) => void,
): Promise<void> {
  for (const folder of folders) {
    const manifest = JSON.parse(await readFile(join(folder, 'manifest.json'), 'utf8')) as { name: string };
    if ((await region.platform.registry.readRoute(manifest.name)) !== undefined) continue;
    const place = `${manifest.name} in ${region.platform.config.region}`;
    onProgress(`validating ${place}`);
    const { version } = await pushSample(region.platform, manifest, folder);
    onProgress(`${place}: ready after ${(version.validation.tookMs / SECOND_MS).toFixed(1)} s`);
  }
}

async function pushSample(platform: Platform, manifest: unknown, folder: string): Promise<Pushed> {
  const push = () => {
    const open = (name: string) => (existsSync(join(folder, name)) ? createReadStream(join(folder, name)) : undefined);
    return pushVersion(platform, {
      manifest,
      modelBytes: createReadStream(join(folder, 'model.onnx')),
      golden: open('golden.jsonl'),
      tokenizer: open('tokenizer.json'),
      reference: open('reference.json'),
      pushedBy: INSTALLER.id,
    });
  };
  try {
    return await push();
  } catch (error) {
    // The attempts may be those of starts that were cut short.
    if (!(error instanceof Failure) || error.code !== 'validation-failed') throw error;
    return push();
  }
}

async function createSamples(regions: Regions): Promise<SampleCredentials> {
  const tenants = [];
  for (const { tenant, region: name, plan } of SAMPLE_TENANTS) {
    const region = regions[name];
    if (region === undefined) continue;
    await ensureTenant(region.platform, tenant, plan);
    const apiKey = await newKey(region.platform, tenant, 'tenant-admin');
    tenants.push({ tenant, region: name, url: region.url, apiKey });
  }
  const operators: Record<string, string> = {};
  for (const [name, region] of Object.entries(regions))
    operators[name] = await newKey(region.platform, undefined, 'operator');
  return { tenants, operator: { apiKey: Object.values(operators)[0] ?? '', regions: operators } };
}

async function ensureTenant(platform: Platform, id: string, plan: string): Promise<void> {
  if ((await platform.registry.readTenant(id)) !== undefined) {
    await changeTenant(platform, id, { plan });
    return;
  }
  const nothing = { overrides: {}, wrongRegion: 'refuse', allowedOrigins: [], region: undefined } as const;
  await createTenant(platform, { id, name: id, plan, ...nothing });
}

async function newKey(platform: Platform, tenant: string | undefined, role: Role): Promise<string> {
  const spec = { tenant, role, models: undefined, label: 'sample', expiresAtMs: undefined };
  return (await createKey(platform, INSTALLER, spec)).text;
}

function withUrls(credentials: SampleCredentials, regions: Regions): SampleCredentials {
  const tenants = credentials.tenants.map((each) => ({ ...each, url: regions[each.region]?.url ?? each.url }));
  return { ...credentials, tenants };
}

async function writePrivate(path: string, text: string): Promise<void> {
  const temporary = `${path}.${randomBytes(6).toString('hex')}`;
  const file = await open(temporary, 'wx', 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(temporary, path);
}
