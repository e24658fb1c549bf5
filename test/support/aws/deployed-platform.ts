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
import {
  ACCOUNT,
  AWS_REGION,
  canarySecret,
  DeployedRegion,
  operatorSecret,
  type Scheduled,
} from './deployed-region.ts';
import { type Denied, judge, policiesOf, processOf } from './iam-access.ts';
import { IamWatch } from './iam-watch.ts';

export type DeployedOptions = StartOptions & {
  /** Worker processes of each region. */
  readonly workers?: number;
  readonly scheduled?: readonly Scheduled[];
  /** Variables of every function beside those that it is deployed with. */
  readonly functionVariables?: Readonly<Record<string, string>>;
  readonly tracesUrl?: string;
  /** Where functions and workers find services, in place of the cloud's own. */
  readonly endpoints?: Partial<Endpoints>;
  /** Whether every call of functions and workers is held against their policies at the end: true unless told otherwise. */
  readonly checksAccess?: boolean;
};

/** On a machine that does many things at once. */
const SERVES_WITHIN_MS = 50_000;

const PLACE = { region: AWS_REGION, account: ACCOUNT };

type Region = RegionUnderTest & { readonly deployed: DeployedRegion; readonly watch: IamWatch | undefined };

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
    const { runners = 2, workers = 1, scheduled = ['notices', 'sweep'], checksAccess = true } = options;
    const { functionVariables = {} } = options;
    const regions: Record<string, Region> = {};
    const regionUrls: Record<string, string> = {};
    for (const region of options.regions ?? ['us']) {
      const named = { ...cloud.endpoints, ...options.endpoints } as Cloud['endpoints'];
      const watch = checksAccess ? await IamWatch.start(named, PLACE) : undefined;
      const endpoints = watch?.endpoints ?? named;
      const parts = {
        cloud,
        region,
        directoryTable,
        runners,
        workers,
        logLines,
        scheduled,
        endpoints,
        functionVariables,
        tracesUrl: options.tracesUrl,
      };
      const deployed = await DeployedRegion.create(parts);
      regionUrls[region] = deployed.gateway.url;
      const settings: SettingsText = { regionUrls, corsOrigins: [...(options.corsOrigins ?? [])], logLevel: 'debug' };
      regions[region] = {
        deployed,
        watch,
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
      await platform.#forget();
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

  /** Nobody needs what is left: nothing is waited for. Throws if a function or a worker did what its policy does not allow. */
  async end(): Promise<void> {
    await this.#forget();
    const denied = Object.keys(this.#regions).flatMap((region) => this.access(region));
    if (denied.length > 0) throw new Error(`policies do not allow: ${denied.map(textOf).join('; ')}`);
  }

  /** What functions and workers of a region were seen to do, held against their policies; against those of `access` alone, if it is given. */
  access(region = 'us', access?: Parameters<typeof policiesOf>[2]) {
    const { watch = { seen: new Map(), unread: new Map() }, deployed } = this.region(region);
    const { variables } = deployed;
    const policies = policiesOf(
      { variables, operatorKeySecret: operatorSecret(variables), canaryKeySecret: canarySecret(variables) },
      PLACE,
      access,
    );
    const { unread } = watch;
    const seen = [...watch.seen.values()].filter(
      ({ accessKeyId }) => access === undefined || isOf(access, accessKeyId),
    );
    return judge({ seen, unread: [...unread.values()] }, policies, variables.SLUICE_KEY_ID, PLACE);
  }

  async #forget(): Promise<void> {
    await this.#stop(true);
    for (const { watch } of Object.values(this.#regions)) watch?.stop();
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #stop(kill: boolean): Promise<void> {
    this.#stopped ??= Promise.all(Object.values(this.#regions).map(({ deployed }) => deployed.stop(kill))).then(
      () => {},
    );
    await this.#stopped;
  }
}

function isOf(access: object, accessKeyId: string): boolean {
  return processOf(accessKeyId) in access;
}

function textOf({ process, action, resource }: Denied): string {
  return `${process}: ${action} on ${resource}`;
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
