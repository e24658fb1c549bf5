import { mkdir } from 'node:fs/promises';
import { openDirectory } from '../adapters/local/open-region.ts';
import { SystemClock } from '../adapters/node/system-clock.ts';
import type { Reach } from '../adapters/webhooks/target.ts';
import type { Clock } from '../core/ports/clock.ts';
import type { Log } from '../core/ports/log.ts';
import type { Spans } from '../core/ports/spans.ts';
import type { ConsoleSource } from './console/console-build.ts';
import { type Region, startRegion } from './region.ts';
import type { Pools } from './workers.ts';

export type EmbeddedOptions = {
  readonly dataFolder: string;
  /** Address to listen on; loopback unless the operator says otherwise. */
  readonly host: string;
  /** Port of each region, by name; 0 is any free port. */
  readonly ports: Readonly<Record<string, number>>;
  readonly corsOrigins: readonly string[];
  /** Served under /console by every region, each of which its pages may call. */
  readonly console?: ConsoleSource;
  readonly log: Log;
  readonly pools?: Pools;
  readonly webhookReach?: Reach;
  /** Where a region's spans go; nothing is traced unless told. */
  readonly spans?: (region: string) => Spans;
  /** See `RegionOptions`. */
  readonly checks?: boolean;
  /** `off`: nothing is counted, measured or watched, and no release is judged. Only to find out what all that costs. */
  readonly telemetry?: 'off';
  readonly clock?: Clock;
};

export type EmbeddedPlatform = {
  readonly regions: Readonly<Record<string, Region>>;
  /** Stops accepting, finishes or gives back what is running, writes everything down. */
  stop(): Promise<void>;
};

/** All regions of one machine, in one process; what they share is the directory of home regions alone. */
export async function startPlatform(options: EmbeddedOptions): Promise<EmbeddedPlatform> {
  await mkdir(options.dataFolder, { recursive: true, mode: 0o700 });
  const clock = options.clock ?? new SystemClock();
  const directory = openDirectory(options.dataFolder);
  const regionUrls: Record<string, string> = {};
  const regions: Record<string, Region> = {};
  const corsOrigins = [...options.corsOrigins];
  try {
    for (const [region, port] of Object.entries(options.ports)) {
      regions[region] = await startRegion({
        ...options,
        corsOrigins,
        spans: options.spans?.(region),
        region,
        port,
        regionUrls,
        directory,
        clock,
      });
      if (options.console !== undefined) corsOrigins.push(regionUrls[region] ?? '');
    }
  } catch (error) {
    await Promise.allSettled(Object.values(regions).map((region) => region.stop()));
    throw error;
  }
  return {
    regions,
    async stop() {
      await Promise.all(Object.values(regions).map((region) => region.stop()));
      directory.close();
    },
  };
}
