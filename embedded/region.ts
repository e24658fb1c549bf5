import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { createDevIssuer } from '../adapters/identity/dev-issuer.ts';
import { createIdentity } from '../adapters/identity/identity.ts';
import { loadSigningKey } from '../adapters/identity/signing-key.ts';
import { type OpenRegion, openRegion } from '../adapters/local/open-region.ts';
import { HttpForwarder } from '../adapters/node/http-forwarder.ts';
import { createGraphs } from '../adapters/onnx/graphs.ts';
import { createTokenizers } from '../adapters/tokenizers/tokenizers.ts';
import { createWebhookSender } from '../adapters/webhooks/sender.ts';
import type { Reach } from '../adapters/webhooks/target.ts';
import { createGateway } from '../core/inference/gateway.ts';
import type { Clock } from '../core/ports/clock.ts';
import type { Directory } from '../core/ports/directory.ts';
import type { Log } from '../core/ports/log.ts';
import type { Platform } from '../core/ports/platform.ts';
import { Recorder } from '../core/quality/recorder.ts';
import { ReleaseNotices } from '../core/release/release-notices.ts';
import { ensurePlans } from '../core/tenancy/manage-plans.ts';
import { SECOND_MS } from '../core/units.ts';
import { createRunnerSandbox } from '../gpu-worker/runner-sandbox.ts';
import type { Worker } from '../gpu-worker/worker.ts';
import { createHttp } from '../lambdas/http/handlers.ts';
import { type HttpServer, listen } from './http-server.ts';
import { runnerSettingsOf, USD_PER_COMPUTE_HOUR } from './model-runners.ts';
import { startRecording } from './recording.ts';
import { ringingReleases, startReleaseLoop } from './release-loop.ts';
import { startSweeper } from './sweeper.ts';
import { Alarm, ringing, startValidator } from './validator.ts';
import { startWebhookLoop } from './webhook-loop.ts';
import { createWorkers, type Pools, withDefaultPool } from './workers.ts';

export type RegionOptions = {
  readonly region: string;
  readonly dataFolder: string;
  readonly host: string;
  readonly port: number;
  /** Filled in as regions come up, so that each knows where the others are. */
  readonly regionUrls: Record<string, string>;
  readonly corsOrigins: readonly string[];
  readonly directory: Directory;
  readonly clock: Clock;
  readonly log: Log;
  /** `default` has as many runners as there are cores unless it is named here. */
  readonly pools?: Pools | undefined;
  /** Where tenants may have webhooks posted to: the public internet unless told otherwise. */
  readonly webhookReach?: Reach | undefined;
  /** See `RegionConfig`. */
  readonly usdPerComputeHour?: number | undefined;
  readonly preload?: readonly string[] | undefined;
};

export type Region = {
  readonly url: string;
  readonly platform: Platform;
  stop(): Promise<void>;
};

/** What runs may still take when the platform is told to stop. */
const DRAIN_MS = 10 * SECOND_MS;

/** One region of this machine: its storage, its gateway behind HTTP, and its worker beside it. */
export async function startRegion(options: RegionOptions): Promise<Region> {
  const server = await listen(options.host, options.port);
  options.regionUrls[options.region] = server.url;
  let storage: OpenRegion | undefined;
  try {
    const pools = withDefaultPool(options.pools);
    storage = await openRegion({ ...options, pools: Object.keys(pools) });
    return await serve({ ...options, pools }, server, storage);
  } catch (error) {
    await server.close(0);
    await storage?.close();
    throw error;
  }
}

async function serve(
  options: RegionOptions & { readonly pools: Pools },
  server: HttpServer,
  storage: OpenRegion,
): Promise<Region> {
  const { region, clock, log, directory, regionUrls, corsOrigins } = options;
  const cacheFolder = join(options.dataFolder, region, 'compile-cache');
  await mkdir(cacheFolder, { recursive: true, mode: 0o700 });
  const runnerSettings = runnerSettingsOf(cacheFolder);
  // Copies of models that a process which was killed could not remove.
  const scratch = join(options.dataFolder, region, 'scratch');
  await rm(scratch, { recursive: true, force: true });
  await mkdir(scratch, { mode: 0o700 });
  const signingKey = await loadSigningKey(join(options.dataFolder, region, 'signing-key.json'));
  const { registry } = storage;
  const devIssuer = createDevIssuer({ registry, clock, region, baseUrl: server.url, signingKey });
  const [pushes, releaseChanges] = [new Alarm(), new Alarm()];
  const platform: Platform = {
    ...storage,
    validations: ringing(storage.validations, pushes),
    releases: ringingReleases(storage.releases, releaseChanges),
    config: {
      region,
      regionUrls,
      corsOrigins,
      pools: Object.keys(options.pools),
      usdPerComputeHour: options.usdPerComputeHour ?? USD_PER_COMPUTE_HOUR,
    },
    clock,
    log,
    directory,
    identity: createIdentity({ registry, region, signingKey, localIssuers: [devIssuer.trusted] }),
    forwarder: new HttpForwarder(),
    webhookSender: createWebhookSender({ reach: options.webhookReach ?? 'public' }),
    tokenizers: createTokenizers(storage.artifacts),
    graphs: createGraphs(scratch),
    sandbox: createRunnerSandbox(runnerSettings, clock, scratch),
  };
  await ensurePlans(platform);
  const recorder = new Recorder(platform);
  const counted = { ...platform, recorder };
  const worker = createWorkers(counted, region, options.pools, {
    ...runnerSettings,
    preload: options.preload ?? [],
  });
  const gateway = createGateway(counted);
  const sweeper = await startSweeper(platform);
  const webhooks = startWebhookLoop(platform);
  await worker.start();
  const validator = startValidator(platform, pushes);
  const recording = startRecording(recorder);
  const notices = new ReleaseNotices({ ...storage, log }, server.url);
  const releases = startReleaseLoop({ ...platform, releases: storage.releases, notices }, releaseChanges);
  server.serve({ handlers: createHttp({ ...platform, gateway }), devIssuer, clock, log });
  return {
    url: server.url,
    platform,
    stop: () => stop({ server, gateway, worker, validator, sweeper, releases, webhooks, recording, storage, clock }),
  };
}

type Running = {
  readonly server: HttpServer;
  readonly gateway: { stopAccepting(): void };
  readonly worker: Worker;
  readonly validator: { stop(): Promise<void> };
  readonly sweeper: { stop(): Promise<void> };
  readonly releases: { stop(): Promise<void> };
  readonly webhooks: { stop(): Promise<void> };
  readonly recording: { stop(): Promise<void> };
  readonly storage: OpenRegion;
  readonly clock: Clock;
};

/** Answers who waits, hands back what has not started, and writes everything down last. */
async function stop(running: Running): Promise<void> {
  const { server, gateway, worker, validator, sweeper, releases, webhooks, recording, storage, clock } = running;
  gateway.stopAccepting();
  await server.close(DRAIN_MS);
  await validator.stop();
  await sweeper.stop();
  await releases.stop();
  await worker.drain(clock.nowMs() + DRAIN_MS);
  await webhooks.stop();
  await recording.stop();
  await storage.close();
}
