import { mkdir } from 'node:fs/promises';
import { availableParallelism, totalmem } from 'node:os';
import { join } from 'node:path';
import { createDevIssuer } from '../adapters/identity/dev-issuer.ts';
import { createIdentity } from '../adapters/identity/identity.ts';
import { loadSigningKey } from '../adapters/identity/signing-key.ts';
import { HttpForwarder } from '../adapters/local/http-forwarder.ts';
import { type OpenRegion, openRegion } from '../adapters/local/open-region.ts';
import { createModelChecker } from '../adapters/onnx/model-checker.ts';
import { environmentOf } from '../adapters/onnx/providers.ts';
import { createGateway } from '../core/inference/gateway.ts';
import type { Clock } from '../core/ports/clock.ts';
import type { Directory } from '../core/ports/directory.ts';
import type { Log } from '../core/ports/log.ts';
import type { Platform } from '../core/ports/platform.ts';
import { GIB, SECOND_MS } from '../core/units.ts';
import { spawnRunner } from '../gpu-worker/runner-process.ts';
import { createWorker, type Worker } from '../gpu-worker/worker.ts';
import { createHttp } from '../lambdas/http/handlers.ts';
import { type HttpServer, listen } from './http-server.ts';
import { ensurePlans } from './sample-data.ts';
import { startSweeper } from './sweeper.ts';

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
  readonly runners?: number | undefined;
  readonly preload?: readonly string[] | undefined;
};

export type Region = {
  readonly url: string;
  readonly platform: Platform;
  stop(): Promise<void>;
};

/** What runs may still take when the platform is told to stop. */
const DRAIN_MS = 10 * SECOND_MS;
const RUNNER_THREADS = 1;

/** One region of this machine: its storage, its gateway behind HTTP, and its worker beside it. */
export async function startRegion(options: RegionOptions): Promise<Region> {
  const server = await listen(options.host, options.port);
  options.regionUrls[options.region] = server.url;
  let storage: OpenRegion | undefined;
  try {
    storage = await openRegion(options);
    return await serve(options, server, storage);
  } catch (error) {
    await server.close(0);
    await storage?.close();
    throw error;
  }
}

async function serve(options: RegionOptions, server: HttpServer, storage: OpenRegion): Promise<Region> {
  const { region, clock, log, directory, regionUrls, corsOrigins } = options;
  const cacheFolder = join(options.dataFolder, region, 'compile-cache');
  await mkdir(cacheFolder, { recursive: true, mode: 0o700 });
  const runnerSettings = {
    provider: 'cpu',
    intraOpThreads: RUNNER_THREADS,
    environment: environmentOf('cpu', {}),
    cacheFolder,
  } as const;
  const signingKey = await loadSigningKey(join(options.dataFolder, region, 'signing-key.json'));
  const { registry } = storage;
  const devIssuer = createDevIssuer({ registry, clock, region, baseUrl: server.url, signingKey });
  const platform: Platform = {
    ...storage,
    config: { region, regionUrls, corsOrigins },
    clock,
    log,
    directory,
    identity: createIdentity({ registry, region, signingKey, localIssuers: [devIssuer.trusted] }),
    forwarder: new HttpForwarder(),
    modelChecker: createModelChecker(clock, () => spawnRunner(runnerSettings, clock)),
  };
  await ensurePlans(platform);
  const worker = createWorker(platform, {
    ...runnerSettings,
    worker: `${region}-1`,
    pool: 'default',
    runners: options.runners ?? availableParallelism(),
    memoryLimitBytes: Math.min(8 * GIB, totalmem() / 4),
    preload: options.preload ?? [],
  });
  const gateway = createGateway(platform);
  const sweeper = await startSweeper(platform);
  await worker.start();
  server.serve({ handlers: createHttp({ ...platform, gateway }), devIssuer, clock, log });
  return { url: server.url, platform, stop: () => stop({ server, gateway, worker, sweeper, storage, clock }) };
}

type Running = {
  readonly server: HttpServer;
  readonly gateway: { stopAccepting(): void };
  readonly worker: Worker;
  readonly sweeper: { stop(): Promise<void> };
  readonly storage: OpenRegion;
  readonly clock: Clock;
};

/** Answers who waits, hands back what has not started, and writes everything down last. */
async function stop({ server, gateway, worker, sweeper, storage, clock }: Running): Promise<void> {
  gateway.stopAccepting();
  await server.close(DRAIN_MS);
  await sweeper.stop();
  await worker.drain(clock.nowMs() + DRAIN_MS);
  await storage.close();
}
