import { join } from 'node:path';
import type { ProcessCounters } from '../core/operations/process-counters.ts';
import { regionSources } from '../core/operations/region-sources.ts';
import { webhookAlarms } from '../core/operations/tell-alarms.ts';
import type { Platform } from '../core/ports/platform.ts';
import { openChecks } from './checks.ts';
import type { HttpServer } from './http-server.ts';
import type { RegionOptions } from './region.ts';
import { startWatchLoop } from './watch-loop.ts';

/** Watches a region once a minute, and asks it as a caller would if it is told to: see `watchMinute`, `runChecks`. */
export async function startWatching(
  platform: Platform,
  counters: ProcessCounters,
  server: Pick<HttpServer, 'url'>,
  { checks = false, dataFolder, region }: Pick<RegionOptions, 'checks' | 'dataFolder' | 'region'>,
): Promise<{ stop(): Promise<void> }> {
  const check = checks
    ? await openChecks(platform, server.url, join(dataFolder, region, 'canary-key'))
    : async () => [];
  return startWatchLoop({
    host: { ...platform, tellAlarms: webhookAlarms(platform) },
    sources: [...regionSources(platform), (_, nowMs) => counters.measure(platform, nowMs)],
    check,
    onWatched: () => counters.tenants.turn(),
  });
}
