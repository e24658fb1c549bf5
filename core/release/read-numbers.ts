import type { Platform } from '../ports/platform.ts';
import type { Telemetry } from '../ports/telemetry.ts';
import { blamesVersion } from '../quality/record-answer.ts';
import { MINUTE_MS } from '../units.ts';
import { lotOf, type Release } from './release.ts';

/** What one version did; figures are undefined of nothing. Milliseconds. */
export type VersionNumbers = {
  readonly requests: number;
  /** Those that say something of the version. */
  readonly errors: number;
  readonly errorRate: number | undefined;
  readonly p50Ms: number | undefined;
  readonly p95Ms: number | undefined;
  readonly p99Ms: number | undefined;
  /** Compute of one prediction. */
  readonly computeMs: number | undefined;
  readonly crashes: number;
};

/** Both versions in the same time: the present segment of a release, or its last, but of that the last ten minutes at the most. */
export type ReleaseNumbers = {
  readonly fromMs: number;
  readonly untilMs: number;
  readonly stable: VersionNumbers;
  readonly candidate: VersionNumbers;
  /** Share of the shadow answers that agree with the stable ones; undefined without such answers. */
  readonly agreement: number | undefined;
};

/** A step may hold for days, and whoever watches it asks every second. */
const LONGEST_MS = 10 * MINUTE_MS;

/** As told up to a few seconds ago; undefined of a release whose candidate had no traffic yet. */
export async function readNumbers(
  { telemetry, clock }: Pick<Platform, 'telemetry' | 'clock'>,
  release: Release,
): Promise<ReleaseNumbers | undefined> {
  const segment = release.segments.at(-1);
  if (segment === undefined) return undefined;
  const { untilMs = clock.nowMs() } = segment;
  const fromMs = Math.max(segment.fromMs, untilMs - LONGEST_MS);
  const [stable, candidate] = await Promise.all(
    [release.stable, release.candidate].map((version) =>
      telemetry.read(release.model, version, fromMs, untilMs + 1, lotOf(release)),
    ),
  );
  const { compared, agreed } = candidate!.shadow;
  return {
    fromMs,
    untilMs,
    stable: numbersOf(stable!),
    candidate: numbersOf(candidate!),
    agreement: compared === 0 ? undefined : agreed / compared,
  };
}

function numbersOf({ requests, errors, latencyMs, computeMs, rows, crashes }: Telemetry): VersionNumbers {
  let blamed = 0;
  for (const [code, count] of errors) if (blamesVersion(code)) blamed += count;
  return {
    requests,
    errors: blamed,
    errorRate: requests === 0 ? undefined : blamed / requests,
    p50Ms: latencyMs.quantile(0.5),
    p95Ms: latencyMs.quantile(0.95),
    p99Ms: latencyMs.quantile(0.99),
    computeMs: rows === 0 ? undefined : computeMs / rows,
    crashes,
  };
}
