import type { AnalysisRules } from '../plan.ts';
import { candidateShare, drawnRequests, isCompared, type Segment } from '../segment.ts';
import { LEVELS, SUSPICIOUS } from '../statistics/levels.ts';
import { type Draw, lotEvidence } from '../statistics/lot-evidence.ts';
import { type Check, figure } from '../verdict.ts';

/**
 * Whether more units fail on the candidate, over all segments of a release so far: valid at any time and however often it is looked at. Undefined evidence of
 * segments that cannot be compared does no harm: they are left out. Exact while at most 256 units failed on a version; above that, of a sample.
 */
export function checkErrors(segments: readonly Segment[], rules: AnalysisRules): Check {
  const draws = drawsOf(segments);
  const candidate = sum(draws, (draw) => draw.candidate);
  const stable = sum(draws, (draw) => draw.stable);
  const requests = segments.reduce((all, segment) => all + (isCompared(segment) ? drawnRequests(segment) : 0), 0);
  const outcome = outcomeOf(draws, requests, ratioOf(draws), rules);
  const expected = sum(draws, (draw) => (draw.candidate + draw.stable) * draw.share);
  const sentence = `${candidate} of ${candidate + stable} users, tenants or requests with errors were on the candidate, where ${figure(expected)} were to be expected`;
  return { name: 'errors', outcome, stable, candidate, sentence };
}

function outcomeOf(draws: readonly Draw[], requests: number, ratio: number, rules: AnalysisRules): Check['outcome'] {
  if (requests === 0) return 'inconclusive';
  if (ratio < rules.errorRatio) return 'pass';
  const evidence = lotEvidence(draws);
  if (evidence >= 1 / LEVELS.errors) return 'fail';
  return evidence >= 1 / SUSPICIOUS ? 'inconclusive' : 'pass';
}

/** How many times as often a unit fails on the candidate: 0 / 0 is 1. */
function ratioOf(draws: readonly Draw[]): number {
  const seen = sum(draws, (draw) => draw.candidate);
  const expected = sum(draws, (draw) => (draw.stable * draw.share) / (1 - draw.share));
  return seen === 0 && expected === 0 ? 1 : seen / expected;
}

/** Each unit is drawn once, where it failed first; one that failed on both is stable's. */
function drawsOf(segments: readonly Segment[]): Draw[] {
  const drawn = new Set<number>();
  const knownBelow = knownBelowOf(segments);
  const draws: Draw[] = [];
  for (const segment of segments) {
    if (!isCompared(segment)) continue;
    const take = (telemetry: Segment['stable']): number => {
      let fresh = 0;
      for (const hash of telemetry.release?.failingUnits.hashes() ?? []) {
        if (hash >= knownBelow || drawn.has(hash)) continue;
        drawn.add(hash);
        fresh += 1;
      }
      return fresh;
    };
    const stable = take(segment.stable);
    draws.push({ share: candidateShare(segment), stable, candidate: take(segment.candidate) });
  }
  return draws;
}

/** Units with smaller hashes are known on both sides in every segment. */
function knownBelowOf(segments: readonly Segment[]): number {
  let below = Number.POSITIVE_INFINITY;
  for (const { stable, candidate } of segments)
    for (const { release } of [stable, candidate]) below = Math.min(below, release?.failingUnits.knownBelow ?? below);
  return below;
}

function sum(draws: readonly Draw[], of: (draw: Draw) => number): number {
  return draws.reduce((all, draw) => all + of(draw), 0);
}
