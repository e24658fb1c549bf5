import { Failure } from '../failure.ts';
import type { CapacityReport } from '../ports/capacity.ts';
import type { Job } from './job.ts';

/** What is left alone: `model@version`, or `model@version tenant` of one tenant's requests; each with the time from which probes may go. */
export type FailingVersions = ReadonlyMap<string, number>;

/** How often a host lets a request try a half-open version: its worker runs one at a time anyway. */
const PROBE_EVERY_MS = 100;
/** Latest probes that are remembered; forgetting one costs a probe too many. */
const MOST_PROBED = 1000;

const NONE: FailingVersions = new Map();

/**
 * What the workers of a pool together say of the versions that keep failing. One is left alone if at least half of the
 * workers that have an opinion have opened its breaker (a request may come to any of them); a worker has one if it has seen
 * work of the version of late. Where some opened it for one tenant only, it is that tenant's requests that they leave alone.
 * Probes may go as soon as one of these lets them. Reports are forgotten after 10 s and an opening ends by itself: no
 * version stays left alone because nobody reports any more.
 */
export function failingVersions(reports: readonly CapacityReport[]): FailingVersions {
  const workers = reports.filter(({ draining }) => !draining);
  const keys = new Set<string>();
  for (const { breakers } of workers) {
    for (const [version, { state, tenant }] of Object.entries(breakers)) {
      if (state !== 'closed') keys.add(keyOf(version, tenant));
    }
  }
  if (keys.size === 0) return NONE;
  const failing = new Map<string, number>();
  for (const key of keys) {
    const untilMs = probesFrom(key, workers);
    if (untilMs !== undefined) failing.set(key, untilMs);
  }
  return failing;
}

/** undefined: those who leave this alone are too few. */
function probesFrom(key: string, workers: readonly CapacityReport[]): number | undefined {
  const [version = ''] = key.split(' ');
  const opinions = workers.flatMap(({ breakers }) => breakers[version] ?? []);
  // A version that is left alone for everybody is so for each tenant.
  const opened = opinions.filter(
    ({ state, tenant }) => state !== 'closed' && (tenant === undefined || keyOf(version, tenant) === key),
  );
  return opened.length * 2 >= opinions.length ? Math.min(...opened.map(({ untilMs }) => untilMs)) : undefined;
}

function keyOf(version: string, tenant: string | undefined): string {
  return tenant === undefined ? version : `${version} ${tenant}`;
}

/** Refuses what a worker would refuse, before it costs anything. One per host. */
export class BreakerGate {
  readonly #probedMs = new Map<string, number>();

  /** Throws `version-unavailable`; of a version that may be probed about one request in 100 ms passes. */
  check(failing: FailingVersions, job: Pick<Job, 'tenant' | 'model' | 'version'>, nowMs: number): void {
    if (failing.size === 0) return;
    const version = `${job.model}@${job.version}`;
    const key = failing.has(version) ? version : keyOf(version, job.tenant);
    const untilMs = failing.get(key);
    if (untilMs === undefined) return;
    if (nowMs >= untilMs && nowMs - (this.#probedMs.get(key) ?? 0) >= PROBE_EVERY_MS) {
      if (this.#probedMs.size >= MOST_PROBED) this.#probedMs.clear();
      this.#probedMs.set(key, nowMs);
      return;
    }
    const retryAfterMs = Math.max(untilMs - nowMs, PROBE_EVERY_MS);
    throw new Failure('version-unavailable', { model: job.model, version: job.version, retryAfterMs });
  }
}
