import type { Platform } from '../ports/platform.ts';
import { DAY_MS } from '../units.ts';
import type { Days } from './read-cost.ts';

/** Of a longer span hits are not counted: each version would be read hour by hour. */
const MOST_DAYS = 62;
const MOST_VERSIONS = 100;
const READ_AT_ONCE = 8;

/** Requests that the cache answered, at no cost, of each version that had any. */
export type CacheHits = readonly { readonly model: string; readonly version: string; readonly hits: number }[];

/** Undefined: the span is too long for it. Beyond a hundred versions they are left out. */
export async function readCacheHits(
  { telemetry }: Pick<Platform, 'telemetry'>,
  { from, until }: Days,
): Promise<CacheHits | undefined> {
  if (until - from > MOST_DAYS) return undefined;
  const [fromMs, untilMs] = [from * DAY_MS, until * DAY_MS];
  const versions = (await telemetry.activeVersions(fromMs, untilMs)).slice(0, MOST_VERSIONS);
  const found: { model: string; version: string; hits: number }[] = [];
  for (let at = 0; at < versions.length; at += READ_AT_ONCE) {
    const some = versions.slice(at, at + READ_AT_ONCE).map(async ({ model, version }) => {
      const steps = await telemetry.series(model, version, fromMs, untilMs, DAY_MS);
      return { model, version, hits: steps.reduce((sum, step) => sum + step.telemetry.cacheHits, 0) };
    });
    found.push(...(await Promise.all(some)));
  }
  return found.filter(({ hits }) => hits > 0);
}
