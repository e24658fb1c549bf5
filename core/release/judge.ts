import { checkAgreement } from './checks/agreement.ts';
import { checkAccuracy, checkCompute, checkConfidence, checkLabels } from './checks/answers.ts';
import { checkErrors } from './checks/errors.ts';
import { checkLatency } from './checks/latency.ts';
import type { AnalysisRules, TrafficStep } from './plan.ts';
import { drawnRequests, isCompared, type Segment, sidesOf } from './segment.ts';
import { dueLook, type Looks } from './statistics/looks.ts';
import type { Check, Verdict } from './verdict.ts';

/**
 * What is known of a candidate in a step. `segments` are those of the release so far, the last one is this step's; both versions' telemetry is of the same
 * times.
 *
 * fail: a check is beyond chance, at the levels of `LEVELS`. pass: enough requests, every check that has data passes. inconclusive: anything else; no data
 * ever passes or fails. A step whose requests are not drawn by lot (named tenants), or without analysis, compares nothing: it
 * passes with enough requests, and only the hard limits end it.
 * Its `looks` must be stored before the next verdict is asked for, or the levels do not hold.
 */
export function judge(step: TrafficStep, rules: AnalysisRules, segments: readonly Segment[], looks: Looks): Verdict {
  const segment = segments.at(-1);
  if (segment === undefined) return nothingKnown(looks);
  const compares = step.analysis && isCompared(segment);
  const requests = compares ? drawnRequests(segment) : segment.candidate.requests;
  const look = dueLook(looks, requests, step.hold.minRequests);
  const checks = compares ? checksOf(segments, segment, rules, look) : [];
  return { ...decide(checks, requests, step.hold.minRequests), checks, requests, looks: look ?? looks };
}

function checksOf(
  segments: readonly Segment[],
  segment: Segment,
  rules: AnalysisRules,
  look: Looks | undefined,
): Check[] {
  const sides = sidesOf(segment);
  return [
    checkErrors(segments, rules),
    ...(segment.shadow ? [checkAgreement(sides, rules, look)] : checkLatency(sides, rules, look)),
    checkLabels(sides, rules, look),
    checkConfidence(segment, sides, rules, look),
    checkAccuracy(sides, rules, look),
    checkCompute(segment, sides, rules, look),
  ];
}

function decide(
  checks: readonly Check[],
  requests: number,
  minRequests: number,
): Pick<Verdict, 'outcome' | 'sentence'> {
  const failed = checks.filter(({ outcome }) => outcome === 'fail');
  if (failed.length > 0) return { outcome: 'fail', sentence: sentences(failed) };
  if (requests < Math.max(1, minRequests))
    return { outcome: 'inconclusive', sentence: `${requests} of ${minRequests} requests were seen` };
  const open = checks.filter(({ outcome }) => outcome === 'inconclusive');
  if (open.length > 0) return { outcome: 'inconclusive', sentence: `not sure yet: ${sentences(open)}` };
  const passed = checks.filter(({ outcome }) => outcome === 'pass').map(({ name }) => name);
  const what = passed.length === 0 ? 'nothing is compared in this step' : `no worse in ${passed.join(', ')}`;
  return { outcome: 'pass', sentence: `${requests} requests, ${what}` };
}

function sentences(checks: readonly Check[]): string {
  return checks.map(({ sentence }) => sentence).join('; ');
}

function nothingKnown(looks: Looks): Verdict {
  return { outcome: 'inconclusive', sentence: 'nothing was measured yet', checks: [], requests: 0, looks };
}
