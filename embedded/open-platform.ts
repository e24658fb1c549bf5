import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { createDevIssuer, type DevIssuer } from '../adapters/identity/dev-issuer.ts';
import { createIdentity } from '../adapters/identity/identity.ts';
import { loadSigningKey } from '../adapters/identity/signing-key.ts';
import type { OpenRegion } from '../adapters/local/open-region.ts';
import { HttpForwarder } from '../adapters/node/http-forwarder.ts';
import { createGraphs } from '../adapters/onnx/graphs.ts';
import { createTokenizers } from '../adapters/tokenizers/tokenizers.ts';
import { createWebhookSender } from '../adapters/webhooks/sender.ts';
import type { Platform } from '../core/ports/platform.ts';
import { createRunnerSandbox } from '../gpu-worker/runner-sandbox.ts';
import { consoleReturns } from './console/serve-console.ts';
import type { HttpServer } from './http-server.ts';
import { runnerSettingsOf, USD_PER_COMPUTE_HOUR } from './model-runners.ts';
import type { RegionOptions } from './region.ts';
import { ringingReleases } from './release-loop.ts';
import { Alarm, ringing } from './validator.ts';
import type { Pools } from './workers.ts';

/** All ports of a region, and what beside them its loops are made of. */
export type OpenPlatform = {
  readonly platform: Platform;
  readonly devIssuer: DevIssuer;
  readonly runnerSettings: ReturnType<typeof runnerSettingsOf>;
  /** Rings when there is a push to validate. */
  readonly pushes: Alarm;
  /** Rings when a release has changed. */
  readonly releaseChanges: Alarm;
};

export async function openPlatform(
  options: RegionOptions & { readonly pools: Pools },
  server: Pick<HttpServer, 'url'>,
  storage: OpenRegion,
): Promise<OpenPlatform> {
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
  const redirectUris = () => (options.console === undefined ? [] : consoleReturns(regionUrls));
  const devIssuer = createDevIssuer({ registry, clock, region, baseUrl: server.url, signingKey, redirectUris });
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
    spans: options.spans,
    directory,
    identity: createIdentity({ registry, region, signingKey, localIssuers: [devIssuer.trusted] }),
    forwarder: new HttpForwarder(),
    webhookSender: createWebhookSender({ reach: options.webhookReach ?? 'public' }),
    tokenizers: createTokenizers(storage.artifacts),
    graphs: createGraphs(scratch),
    sandbox: createRunnerSandbox(runnerSettings, clock, scratch),
  };
  return { platform, devIssuer, runnerSettings, pushes, releaseChanges };
}
