import { Failure } from '../failure.ts';
import type { CapacityReport } from '../ports/capacity.ts';
import type { Job } from './job.ts';

/** Versions that are left alone, by `model@version`, each with the time from which probes may go. */
export type FailingVersions = ReadonlyMap<string, number>;

/** How often a host lets a request try a half-open version: its worker runs one at a time anyway. */
const PROBE_EVERY_MS = 100;
/** Versions whose latest probe is remembered; forgetting one costs a probe too many. */
const MOST_PROBED = 1000;

const NONE: FailingVersions = new Map();

/**
 * What the workers of a pool together say of the versions that keep failing. One is left alone if at least half of the
 * workers that have an opinion have opened its breaker (a request may come to any of them); a worker has one if it has seen
 * work of the version of late. Probes may go as soon as one of these lets them. Reports are forgotten after 10 s and an
 * opening ends by itself: no version stays left alone because nobody reports any more.
 */
export function failingVersions(reports: readonly CapacityReport[]): FailingVersions {
  const opinions = new Map<string, { all: number; failing: number; untilMs: number }>();
  let failing = 0;
  for (const { breakers, draining } of reports) {
    if (draining) continue;
    for (const [version, { state, untilMs }] of Object.entries(breakers)) {
      const known = opinions.get(version) ?? { all: 0, failing: 0, untilMs: Number.POSITIVE_INFINITY };
      opinions.set(version, known);
      known.all += 1;
      if (state === 'closed') continue;
      failing += 1;
      known.failing += 1;
      known.untilMs = Math.min(known.untilMs, untilMs);
    }
  }
  if (failing === 0) return NONE;
  const left = [...opinions].filter(([, { all, failing }]) => failing > 0 && failing * 2 >= all);
  return new Map(left.map(([version, { untilMs }]) => [version, untilMs]));
}

/** Refuses what a worker would refuse, before it costs anything. One per host. */
export class BreakerGate {
  readonly #probedMs = new Map<string, number>();

  /** Throws `version-unavailable`; of a version that may be probed about one request in 100 ms passes. */
  check(failing: FailingVersions, job: Pick<Job, 'model' | 'version'>, nowMs: number): void {
    if (failing.size === 0) return;
    const key = `${job.model}@${job.version}`;
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
