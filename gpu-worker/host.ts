import { randomUUID } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import {
  INSTANCE_FILE,
  type RegionEnvironment,
  readEndpoints,
  readRegionEnvironment,
  readWorkerEnvironment,
  type WorkerEnvironment,
} from '../adapters/aws/environment.ts';
import { openRegion } from '../adapters/aws/open-region.ts';
import { JsonLog } from '../adapters/node/json-log.ts';
import { SystemClock } from '../adapters/node/system-clock.ts';
import { environmentOf } from '../adapters/onnx/providers.ts';
import { createOtlpSpans } from '../adapters/otel/spans.ts';
import { usdPerHour } from '../core/cost/price-list.ts';
import { LEVEL_AGE_MS, LiveLogLevel } from '../core/operations/log-level.ts';
import type { Clock } from '../core/ports/clock.ts';
import { Recorder } from '../core/quality/recorder.ts';
import { SECOND_MS } from '../core/units.ts';
import { BEAT_MS, beat, HEALTH_FILE } from './health.ts';
import { readInstance } from './instance.ts';
import { loadMetricLine, METRIC_EVERY_MS } from './load-metric.ts';
import { repeat } from './repeat.ts';
import { TaskProtection } from './task-protection.ts';
import { createWorker, type Metering } from './worker.ts';

/** ECS kills 120 s after SIGTERM (`stopTimeout`), as a spot interruption does after its notice: the rest is for handing back. */
const DRAIN_MS = 110 * SECOND_MS;
const PROTECT_EVERY_MS = SECOND_MS;

type Variables = Readonly<Record<string, string | undefined>>;

type HostParts = {
  readonly variables: Variables;
  readonly environment: RegionEnvironment;
  readonly own: WorkerEnvironment;
  /** Names the worker in its reports. */
  readonly worker: string;
  readonly clock: Clock;
  readonly log: JsonLog;
  readonly write: (line: string) => void;
};

/** A pool's worker on ECS. */
type Host = {
  /** Resolves when its models are warm; it takes work before. */
  start(): Promise<void>;
  /** Takes no more work and resolves once what it held has ended or was handed back: 110 s at the most. */
  stop(): Promise<void>;
};

/**
 * Runs this process as a worker until SIGTERM or SIGINT, then drains and ends it. What nobody caught is logged and ends it too:
 * its work comes again elsewhere. An idle worker long-polls its two queues, 2 calls in 20 s: 259,200 a month, 10 cents.
 */
export async function runHost(process: NodeJS.Process): Promise<void> {
  const { env: variables, stdout } = process;
  const clock = new SystemClock();
  const worker = `${variables.SLUICE_POOL ?? 'worker'}-${randomUUID().slice(0, 8)}`;
  const fixed = { region: variables.SLUICE_REGION, pool: variables.SLUICE_POOL, worker };
  const log = new JsonLog(stdout, clock, 'info', fixed);
  const end = (message: string) => (error: unknown) => {
    log.error(message, error);
    process.exit(1);
  };
  process.on('uncaughtException', end('the worker ends, as nobody caught an error'));
  const told = new Promise<string>((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => resolve(signal));
  });
  const host = readHost({ variables, worker, clock, log, write: (line) => stdout.write(line) });
  host.start().catch(end('the worker cannot start'));
  log.info('the worker drains', { signal: await told });
  await host.stop();
  log.info('the worker has drained');
  process.exit(0);
}

/** Nothing secret is in the environment, so that what is wrong with it may be told. */
function readHost(parts: Omit<HostParts, 'environment' | 'own'>): Host {
  const { variables, log } = parts;
  try {
    const [environment, own] = [readRegionEnvironment(variables), readWorkerEnvironment(variables)];
    return createHost({ ...parts, environment, own });
  } catch (error) {
    log.error('the worker cannot start', error, { reason: error instanceof Error ? error.message : undefined });
    process.exit(1);
  }
}

function createHost({ variables, environment, own, worker: name, clock, log, write }: HostParts): Host {
  const folders = { models: join(own.cacheFolder, 'models'), compiled: join(own.cacheFolder, 'compiled') };
  mkdirSync(folders.compiled, { recursive: true, mode: 0o700 });
  const region = openRegion({
    environment,
    endpoints: readEndpoints(variables),
    clock,
    log,
    cacheFolder: folders.models,
    cacheBytes: own.cacheBytes,
  });
  const recorder = new Recorder({ ...region, clock, log });
  const level = new LiveLogLevel({ ...region, clock, log }, log.level, (now) => log.setLevel(now), 0);
  const { traces } = environment;
  const attributes = { 'sluice.region': environment.region, 'sluice.pool': own.pool, 'sluice.worker': name };
  const spans = traces && createOtlpSpans(traces.url, { share: traces.share, attributes });
  const ports = { ...region, clock, log, recorder, spans };
  const config = {
    metering: meteringOf(own, environment),
    worker: name,
    environment: environmentOf(own.provider, variables),
    cacheFolder: folders.compiled,
  };
  const worker = createWorker(ports, { ...own, ...config });
  const protection = new TaskProtection({ clock, log, agentUri: variables.ECS_AGENT_URI });
  const names = { deployment: environment.deployment, region: environment.region, pool: own.pool };
  const ended = new AbortController();
  let recording: Promise<void> = Promise.resolve();
  return {
    async start() {
      const every = (what: string, ms: number, task: () => unknown) => void repeat(ports, what, ms, ended.signal, task);
      every('health', BEAT_MS, () => beat(HEALTH_FILE, Date.now()));
      every('log level', LEVEL_AGE_MS, () => level.refresh());
      every('protection', PROTECT_EVERY_MS, () => protection.update(worker.load().held > 0));
      every('metric', METRIC_EVERY_MS, () => write(loadMetricLine(names, worker.load(), clock.nowMs())));
      recording = recorder.run(ended.signal);
      log.info('the worker starts', { provider: own.provider, runners: own.runners });
      await worker.start();
      await region.wake.started(own.pool, clock.nowMs());
      log.info('the worker serves');
    },
    async stop() {
      await worker.drain(clock.nowMs() + DRAIN_MS);
      ended.abort();
      await Promise.all([recording, region.settled(), spans?.flush()]);
    },
  };
}

/** What this worker runs on: what its instance says, else what its pool is made of. */
function meteringOf(own: WorkerEnvironment, environment: RegionEnvironment): Metering {
  const bought = readInstance(join(own.cacheFolder, INSTANCE_FILE)) ?? own.bought;
  const usd = usdPerHour(own.prices, bought, { ...environment, runners: own.runners });
  return { ...bought, usdPerHour: usd, everyMs: own.meterSeconds * SECOND_MS };
}
