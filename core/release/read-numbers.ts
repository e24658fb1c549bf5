import type { FailureCode } from '../failure.ts';
import type { Platform } from '../ports/platform.ts';
import type { ShadowCounts, Telemetries, Telemetry } from '../ports/telemetry.ts';
import { blamesVersion } from '../quality/record-answer.ts';
import { MINUTE_MS } from '../units.ts';
import { compareHistograms, type HistogramBin } from './compare-histograms.ts';
import { type ComparedLabel, compareLabels } from './compare-labels.ts';
import { lotOf, type Release } from './release.ts';

/** What one version did; figures are undefined of nothing. Milliseconds. */
export type VersionNumbers = {
  readonly requests: number;
  /** Those that say something of the version. */
  readonly errors: number;
  readonly errorRate: number | undefined;
  /** All errors, refusals and callers' mistakes too. */
  readonly errorsByCode: ReadonlyMap<FailureCode, number>;
  readonly p50Ms: number | undefined;
  readonly p95Ms: number | undefined;
  readonly p99Ms: number | undefined;
  /** Compute of one prediction. */
  readonly computeMs: number | undefined;
  readonly crashes: number;
  readonly cacheHits: number;
  readonly fallbacks: number;
  /** Share of the answers that feedback says were right; undefined without feedback. */
  readonly accuracy: number | undefined;
  readonly feedback: number;
};

/** Both versions in the same time: the present segment of a release, or its last, but of that the last ten minutes at the most. */
export type ReleaseNumbers = {
  readonly fromMs: number;
  readonly untilMs: number;
  readonly stable: VersionNumbers;
  readonly candidate: VersionNumbers;
  /** Share of the shadow answers that agree with the stable ones; undefined without such answers. */
  readonly agreement: number | undefined;
  readonly shadow: Readonly<ShadowCounts>;
  /** Requests of both by latency, in the same bins, from small to large; empty without requests. */
  readonly latency: readonly HistogramBin[];
  /** Shares of each version's labels; empty of models that give none. */
  readonly labels: readonly ComparedLabel[];
  /** Answers by confidence, in twenty equal bins from 0 to 1; empty without any. */
  readonly confidence: readonly HistogramBin[];
};

/** A step may hold for days, and whoever watches it asks every second. */
const LONGEST_MS = 10 * MINUTE_MS;

/** As told up to a few seconds ago; undefined of a release whose candidate had no traffic yet. */
export async function readNumbers(
  { telemetry, clock }: Pick<Platform, 'clock'> & { readonly telemetry: Pick<Telemetries, 'read'> },
  release: Release,
): Promise<ReleaseNumbers | undefined> {
  const segment = release.segments.at(-1);
  if (segment === undefined) return undefined;
  const { untilMs = clock.nowMs() } = segment;
  const fromMs = Math.max(segment.fromMs, untilMs - LONGEST_MS);
  const read = (version: string) => telemetry.read(release.model, version, fromMs, untilMs + 1, lotOf(release));
  const [stable, candidate] = await Promise.all([read(release.stable), read(release.candidate)]);
  const { compared, agreed } = candidate.shadow;
  return {
    fromMs,
    untilMs,
    stable: numbersOf(stable),
    candidate: numbersOf(candidate),
    agreement: compared === 0 ? undefined : agreed / compared,
    shadow: { ...candidate.shadow },
    latency: compareHistograms(stable.latencyMs, candidate.latencyMs),
    labels: compareLabels(stable.labels, candidate.labels),
    confidence: compareConfidence(stable.confidence.bins, candidate.confidence.bins),
  };
}

function numbersOf(telemetry: Telemetry): VersionNumbers {
  const { requests, errors, latencyMs, computeMs, rows, feedback } = telemetry;
  let blamed = 0;
  for (const [code, count] of errors) if (blamesVersion(code)) blamed += count;
  return {
    requests,
    errors: blamed,
    errorRate: requests === 0 ? undefined : blamed / requests,
    errorsByCode: errors,
    p50Ms: latencyMs.quantile(0.5),
    p95Ms: latencyMs.quantile(0.95),
    p99Ms: latencyMs.quantile(0.99),
    computeMs: rows === 0 ? undefined : computeMs / rows,
    crashes: telemetry.crashes,
    cacheHits: telemetry.cacheHits,
    fallbacks: telemetry.fallbacks,
    accuracy: feedback === 0 ? undefined : telemetry.feedbackCorrect / feedback,
    feedback,
  };
}

function compareConfidence(stable: readonly number[], candidate: readonly number[]): HistogramBin[] {
  const bins = stable.map((count, at) => ({
    from: at / stable.length,
    until: (at + 1) / stable.length,
    stable: count,
    candidate: candidate[at] ?? 0,
  }));
  return bins.some((bin) => bin.stable + bin.candidate > 0) ? bins : [];
}
