import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { JsonLog } from '../../adapters/node/json-log.ts';
import { SystemClock } from '../../adapters/node/system-clock.ts';
import type { Reach } from '../../adapters/webhooks/target.ts';
import type { Log } from '../../core/ports/log.ts';
import type { Spans } from '../../core/ports/spans.ts';
import type { ConsoleSource } from '../../embedded/console/console-build.ts';
import { type EmbeddedPlatform, startPlatform } from '../../embedded/platform.ts';
import type { Region } from '../../embedded/region.ts';
import type { Pools } from '../../embedded/workers.ts';
import { PlatformUnderTest, type StartOptions } from './platform-under-test.ts';

export type RunningOptions = StartOptions & {
  /** Runners of other pools. */
  readonly pools?: Pools;
  /** A folder of an earlier platform; a new one is removed when the platform stops. */
  readonly dataFolder?: string;
  /** Default: `anywhere`, as receivers are on this machine. */
  readonly webhookReach?: Reach;
  /** Where spans go; default: nothing is traced. */
  readonly spans?: (region: string) => Spans;
  /** Served under /console; default: none is. */
  readonly console?: ConsoleSource;
  /** Put around the log that is captured. */
  readonly wrapLog?: (log: Log) => Log;
};

/** The embedded platform on free ports, in this process, with every log line in memory from level debug up. */
export class RunningPlatform extends PlatformUnderTest {
  readonly dataFolder: string;
  readonly logLines: readonly string[];
  readonly #platform: EmbeddedPlatform;
  readonly #isOwnFolder: boolean;
  readonly #started = new Map<string, Map<string, number>>();
  #stopped: Promise<void> | undefined;

  constructor(platform: EmbeddedPlatform, dataFolder: string, logLines: readonly string[], isOwnFolder: boolean) {
    super();
    this.#platform = platform;
    this.dataFolder = dataFolder;
    this.logLines = logLines;
    this.#isOwnFolder = isOwnFolder;
    for (const [name, region] of Object.entries(platform.regions)) this.#started.set(name, countStarts(region));
  }

  region(name = 'us'): Region {
    const region = this.#platform.regions[name];
    if (region === undefined) throw new Error(`region ${name} was not started`);
    return region;
  }

  async startedJobs(region = 'us'): Promise<ReadonlyMap<string, number>> {
    return new Map(this.#started.get(region));
  }

  stop(): Promise<void> {
    this.#stopped ??= this.#platform.stop();
    return this.#stopped;
  }

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
    ...(options.spans && { spans: options.spans }),
    ...(options.console && { console: options.console }),
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

/** Counts from now on how often the region's worker begins each job. */
function countStarts({ platform: { jobs } }: Region): Map<string, number> {
  const started = new Map<string, number>();
  const begin = jobs.begin.bind(jobs);
  jobs.begin = (job) => {
    started.set(job.id, (started.get(job.id) ?? 0) + 1);
    return begin(job);
  };
  return started;
}
