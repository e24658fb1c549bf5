import { type OpenRegion, openRegion } from '../adapters/local/open-region.ts';
import type { Reach } from '../adapters/webhooks/target.ts';
import { createGateway } from '../core/inference/gateway.ts';
import { ProcessCounters } from '../core/operations/process-counters.ts';
import type { Clock } from '../core/ports/clock.ts';
import type { Directory } from '../core/ports/directory.ts';
import type { Log } from '../core/ports/log.ts';
import type { Platform } from '../core/ports/platform.ts';
import type { Spans } from '../core/ports/spans.ts';
import type { TelemetryItem } from '../core/ports/telemetry.ts';
import { webhookNotices } from '../core/quality/drift/webhook-notices.ts';
import { Recorder } from '../core/quality/recorder.ts';
import { ReleaseNotices } from '../core/release/release-notices.ts';
import { ensurePlans } from '../core/tenancy/manage-plans.ts';
import { SECOND_MS } from '../core/units.ts';
import type { Worker } from '../gpu-worker/worker.ts';
import { createHttp } from '../lambdas/http/handlers.ts';
import type { ConsoleSource } from './console/console-build.ts';
import { createConsole } from './console/serve-console.ts';
import { type HttpServer, listen } from './http-server.ts';
import { startLogLevelLoop } from './log-level-loop.ts';
import { createMetricsEndpoint } from './metrics-endpoint.ts';
import { openPlatform } from './open-platform.ts';
import { startQualityLoop } from './quality-loop.ts';
import { startRecording } from './recording.ts';
import { startReleaseLoop } from './release-loop.ts';
import { startSweeper } from './sweeper.ts';
import { startValidator } from './validator.ts';
import { startWatching } from './watching.ts';
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
  /** Served under /console; left out, there is none. */
  readonly console?: ConsoleSource | undefined;
  readonly directory: Directory;
  readonly clock: Clock;
  readonly log: Log;
  /** `default` has as many runners as there are cores unless it is named here. */
  readonly pools?: Pools | undefined;
  /** Where tenants may have webhooks posted to: the public internet unless told otherwise. */
  readonly webhookReach?: Reach | undefined;
  readonly spans?: Spans | undefined;
  /** See `EmbeddedOptions`. */
  readonly telemetry?: 'off' | undefined;
  /** Asks itself once a minute as a caller would, with a tenant of its own; not unless told. */
  readonly checks?: boolean | undefined;
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
  const { region, clock, log } = options;
  const { platform, devIssuer, runnerSettings, pushes, releaseChanges } = await openPlatform(options, server, storage);
  await ensurePlans(platform);
  const counters = new ProcessCounters();
  const isOff = options.telemetry === 'off';
  const onSealed = (items: readonly TelemetryItem[]) => counters.add(items);
  const recorder = new Recorder(platform, isOff ? { versions: 0 } : { onSealed });
  const counted = { ...platform, recorder };
  const worker = createWorkers(counted, region, options.pools, {
    ...runnerSettings,
    preload: options.preload ?? [],
    usdPerComputeHour: platform.config.usdPerComputeHour,
  });
  const gateway = createGateway(counted);
  const http = { ...platform, gateway };
  const { console: source, regionUrls } = options;
  const consoles = source === undefined ? [] : createConsole({ source, region, regionUrls });
  const extras = [createMetricsEndpoint(http, counters), ...consoles];
  const handlers = createHttp(http);
  const sweeper = await startSweeper(platform);
  const webhooks = startWebhookLoop(platform);
  await worker.start();
  const notices = new ReleaseNotices({ ...storage, log }, server.url);
  const beforeDrain = [
    startValidator(platform, pushes),
    sweeper,
    startLogLevelLoop(platform),
    ...(isOff ? [] : [await startWatching(platform, counters, server, options)]),
    ...(isOff ? [] : [startQualityLoop(platform, webhookNotices(platform, server.url))]),
    startReleaseLoop({ ...platform, releases: storage.releases, notices }, releaseChanges),
  ];
  const afterDrain = [webhooks, startRecording(recorder)];
  server.serve({ handlers, devIssuer, extras, clock, log });
  return {
    url: server.url,
    platform,
    stop: () => stop({ server, gateway, worker, beforeDrain, afterDrain, storage, platform }),
  };
}

/** What goes on beside requests until it is stopped. */
type Loop = { stop(): Promise<void> };

type Running = {
  readonly server: HttpServer;
  readonly gateway: { stopAccepting(): void };
  readonly worker: Worker;
  readonly beforeDrain: readonly Loop[];
  /** What tells of how jobs ended. */
  readonly afterDrain: readonly Loop[];
  readonly storage: OpenRegion;
  readonly platform: Pick<Platform, 'clock' | 'spans'>;
};

/** Answers who waits, hands back what has not started, and writes everything down last. */
async function stop(running: Running): Promise<void> {
  const { server, gateway, worker, beforeDrain, afterDrain, storage, platform } = running;
  gateway.stopAccepting();
  await server.close(DRAIN_MS);
  for (const loop of beforeDrain) await loop.stop();
  await worker.drain(platform.clock.nowMs() + DRAIN_MS);
  for (const loop of afterDrain) await loop.stop();
  await storage.close();
  await platform.spans?.flush();
}
