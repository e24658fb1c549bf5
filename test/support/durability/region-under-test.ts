import { mkdirSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { openDirectory, openRegion } from '../../../adapters/local/open-region.ts';
import { JsonLog } from '../../../adapters/node/json-log.ts';
import { createTokenizers } from '../../../adapters/tokenizers/tokenizers.ts';
import { createGateway, type Gateway } from '../../../core/inference/gateway.ts';
import type { Clock } from '../../../core/ports/clock.ts';
import type { Platform } from '../../../core/ports/platform.ts';
import { Recorder } from '../../../core/quality/recorder.ts';
import { ensurePlans } from '../../../core/tenancy/manage-plans.ts';
import { SECOND_MS } from '../../../core/units.ts';
import { startRecording } from '../../../embedded/recording.ts';
import { startSweeper } from '../../../embedded/sweeper.ts';
import { Alarm, ringing, startValidator } from '../../../embedded/validator.ts';
import { createWorker } from '../../../gpu-worker/worker.ts';
import { PLAIN_GRAPHS } from '../plain-graphs.ts';
import { type StoredPorts, withBoundaries } from './boundaries.ts';
import { KnownModelRunner, knownSandbox, SLOW_MS } from './known-model.ts';

export const REGION = 'us';

/** The files of one story. */
export function storyFiles(folder: string): { data: string; history: string; log: string } {
  return { data: join(folder, 'data'), history: join(folder, 'history.jsonl'), log: join(folder, 'log.jsonl') };
}

export type RegionUnderTest = {
  readonly platform: Omit<Platform, 'identity'>;
  readonly gateway: Gateway;
  /** As told by SIGTERM. */
  close(): Promise<void>;
};

export type Opening = {
  readonly folder: string;
  readonly clock: Clock;
  readonly reach?: (boundary: string) => void;
  /** Puts a mistake into the ports. */
  readonly plant?: (ports: StoredPorts) => StoredPorts;
  /** How long a slow row's run takes. */
  readonly slowMs?: number;
};

/** A region as embedded/region.ts composes it, without HTTP and with runners in this process. */
export async function openRegionUnderTest(opening: Opening): Promise<RegionUnderTest> {
  const { folder, clock, reach = () => {}, plant = (ports) => ports, slowMs = SLOW_MS } = opening;
  const files = storyFiles(folder);
  mkdirSync(files.data, { recursive: true });
  const logFile = openSync(files.log, 'a');
  const log = new JsonLog({ write: (line) => writeSync(logFile, line) }, clock, 'warn');
  const directory = openDirectory(files.data);
  const storage = await openRegion({ dataFolder: files.data, region: REGION, clock, log, onBoundary: reach });
  const stored = withBoundaries(plant({ ...storage, directory }), reach);
  const pushes = new Alarm();
  const platform = {
    ...storage,
    ...stored,
    validations: ringing(stored.validations, pushes),
    config: { region: REGION, regionUrls: {}, corsOrigins: [], pools: ['default'], usdPerComputeHour: 0.05 },
    clock,
    log,
    forwarder: { forward: () => Promise.reject(new Error('nothing is forwarded here')) },
    graphs: PLAIN_GRAPHS,
    sandbox: knownSandbox(),
    tokenizers: createTokenizers(storage.artifacts),
    webhookSender: {
      check: async () => {},
      post: () => Promise.reject(new Error('nothing is posted here')),
    },
  };
  await ensurePlans(platform);
  const recorder = new Recorder(platform);
  const counted = { ...platform, recorder };
  const worker = createWorker(
    counted,
    {
      worker: 'w1',
      pool: 'default',
      runners: 2,
      intraOpThreads: 1,
      provider: 'cpu',
      environment: {},
      memoryLimitBytes: 4e9,
      preload: [],
      metering: { instanceType: 'local', purchase: 'on-demand', usdPerHour: 0.1, everyMs: 1000 },
    },
    () => new KnownModelRunner(clock, slowMs),
  );
  const gateway = createGateway(counted);
  const sweeper = await startSweeper(platform);
  await worker.start();
  const validator = startValidator(platform, pushes);
  const recording = startRecording(recorder);
  return {
    platform,
    gateway,
    async close() {
      gateway.stopAccepting();
      await validator.stop();
      await sweeper.stop();
      await worker.drain(clock.nowMs() + 10 * SECOND_MS);
      await recording.stop();
      await storage.close();
      directory.close();
    },
  };
}
