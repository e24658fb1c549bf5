import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Endpoints, readRegionEnvironment } from '../../../adapters/aws/environment.ts';
import { openRegion } from '../../../adapters/aws/open-region.ts';
import type { SettingsText } from '../../../adapters/aws/settings.ts';
import { createIdentity } from '../../../adapters/identity/identity.ts';
import { parseSigningKey } from '../../../adapters/identity/signing-key.ts';
import { HttpForwarder } from '../../../adapters/node/http-forwarder.ts';
import { JsonLog } from '../../../adapters/node/json-log.ts';
import { SystemClock } from '../../../adapters/node/system-clock.ts';
import { createGraphs } from '../../../adapters/onnx/graphs.ts';
import { environmentOf } from '../../../adapters/onnx/providers.ts';
import { createTokenizers } from '../../../adapters/tokenizers/tokenizers.ts';
import { createWebhookSender } from '../../../adapters/webhooks/sender.ts';
import type { Platform } from '../../../core/ports/platform.ts';
import { createRunnerSandbox } from '../../../gpu-worker/runner-sandbox.ts';
import { PlatformUnderTest, type RegionUnderTest, type StartOptions } from '../platform-under-test.ts';
import type { Cloud } from './cloud.ts';
import { AWS_REGION, DeployedRegion, type Scheduled } from './deployed-region.ts';

export type DeployedOptions = StartOptions & {
  /** Worker processes of each region. */
  readonly workers?: number;
  readonly scheduled?: readonly Scheduled[];
  /** Where functions and workers find services, in place of the cloud's own. */
  readonly endpoints?: Partial<Endpoints>;
};

/** On a machine that does many things at once. */
const SERVES_WITHIN_MS = 50_000;

type Region = RegionUnderTest & { readonly deployed: DeployedRegion };

/** The deployed platform, in processes of its own, with every log line in memory. */
export class DeployedPlatform extends PlatformUnderTest {
  readonly logLines: readonly string[];
  readonly #regions: Readonly<Record<string, Region>>;
  readonly #folder: string;
  #stopped: Promise<void> | undefined;

  private constructor(regions: Readonly<Record<string, Region>>, logLines: readonly string[], folder: string) {
    super();
    this.logLines = logLines;
    this.#regions = regions;
    this.#folder = folder;
  }

  static async start(cloud: Cloud, options: DeployedOptions = {}): Promise<DeployedPlatform> {
    const logLines: string[] = [];
    const folder = await mkdtemp(join(tmpdir(), 'sluice-deployed-'));
    const directoryTable = await cloud.dynamo.createTable();
    const { runners = 2, workers = 1, scheduled = ['notices', 'sweep'], endpoints = {} } = options;
    const regions: Record<string, Region> = {};
    const regionUrls: Record<string, string> = {};
    for (const region of options.regions ?? ['us']) {
      const parts = { cloud, region, directoryTable, runners, workers, logLines, scheduled, endpoints };
      const deployed = await DeployedRegion.create(parts);
      regionUrls[region] = deployed.gateway.url;
      const settings: SettingsText = { regionUrls, corsOrigins: [...(options.corsOrigins ?? [])], logLevel: 'debug' };
      regions[region] = {
        deployed,
        url: deployed.gateway.url,
        platform: await openPlatform(cloud, deployed, join(folder, region), settings, logLines),
      };
      Object.assign(settings, { regionUrls });
      for (const { deployed: each } of Object.values(regions)) {
        cloud.ssm.parameters.set(each.variables.SLUICE_SETTINGS_PARAMETER, JSON.stringify(settings));
      }
    }
    const platform = new DeployedPlatform(regions, logLines, folder);
    try {
      await Promise.all(
        Object.entries(regions).map(async ([name, { deployed, platform: ports }]) => {
          await deployed.setUp();
          const models = new Set<string>();
          for (const model of options.models ?? []) models.add((await platform.push(model, name)).model);
          await deployed.start([...models]);
          if (workers > 0) await workersServe(ports, workers, models.size);
        }),
      );
      return platform;
    } catch (error) {
      await platform.end();
      throw error;
    }
  }

  region(name = 'us'): Region {
    const region = this.#regions[name];
    if (region === undefined) throw new Error(`region ${name} was not started`);
    return region;
  }

  startedJobs(region = 'us'): Promise<ReadonlyMap<string, number>> {
    return this.region(region).deployed.startedJobs();
  }

  stop(): Promise<void> {
    return this.#stop(false);
  }

  /** Nobody needs what is left: nothing is waited for. */
  async end(): Promise<void> {
    await this.#stop(true);
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #stop(kill: boolean): Promise<void> {
    this.#stopped ??= Promise.all(Object.values(this.#regions).map(({ deployed }) => deployed.stop(kill))).then(
      () => {},
    );
    await this.#stopped;
  }
}

/** The region's ports in this process, as one of its own would open them. */
async function openPlatform(
  cloud: Cloud,
  { variables }: DeployedRegion,
  folder: string,
  { regionUrls, corsOrigins }: SettingsText,
  logLines: string[],
): Promise<Platform> {
  const environment = readRegionEnvironment({ ...variables, AWS_REGION });
  const clock = new SystemClock();
  const log = new JsonLog({ write: (line) => logLines.push(line) }, clock, 'debug');
  const region = openRegion({
    environment,
    endpoints: cloud.endpoints,
    clock,
    log,
    cacheFolder: join(folder, 'models'),
    cacheBytes: 2 ** 30,
  });
  const { registry } = region;
  const settings = {
    provider: 'cpu',
    intraOpThreads: 1,
    environment: environmentOf('cpu', {}),
    cacheFolder: folder,
  } as const;
  const { region: name, pools, usdPerComputeHour } = environment;
  const signingKey = () => parseSigningKey(cloud.secrets.read(variables.SLUICE_SIGNING_KEY_SECRET)!);
  return {
    ...region,
    config: { region: name, regionUrls, corsOrigins, pools, usdPerComputeHour },
    clock,
    log,
    identity: createIdentity({ registry, region: name, signingKey }),
    forwarder: new HttpForwarder(),
    webhookSender: createWebhookSender({ reach: 'public' }),
    tokenizers: createTokenizers(region.artifacts),
    graphs: createGraphs(folder),
    sandbox: createRunnerSandbox(settings, clock, folder),
  };
}

/** Until handlers see as many workers with so many models loaded: before, a pool is cold and they answer 202. */
async function workersServe({ capacity, clock }: Platform, workers: number, models: number): Promise<void> {
  const untilMs = clock.nowMs() + SERVES_WITHIN_MS;
  for (;;) {
    const serving = (await capacity.read('default', clock.nowMs())).filter(({ loaded }) => loaded.length >= models);
    if (serving.length >= workers) return;
    if (clock.nowMs() > untilMs) throw new Error('the workers do not serve');
    await clock.sleep(20);
  }
}
