import { describe, expect, test } from 'vitest';
import type { Telemetry } from '../../../core/ports/telemetry.ts';
import { recordAnswer } from '../../../core/quality/record-answer.ts';
import { cohortIn, emptyTelemetry } from '../../../core/quality/telemetry.ts';
import { BUCKETS, COHORTS } from '../../../core/release/assign.ts';
import { beyondHardLimit } from '../../../core/release/hard-limit.ts';
import { judge } from '../../../core/release/judge.ts';
import { type ReleasePlan, readReleasePlan, type TrafficStep } from '../../../core/release/plan.ts';
import type { Segment } from '../../../core/release/segment.ts';
import { NO_LOOKS } from '../../../core/release/statistics/looks.ts';
import { seededRandom } from '../../../core/seeded-random.ts';

const PLAN = readReleasePlan({ steps: [{ shadow: 10 }, { setWeight: 10 }, { setWeight: 100 }] }) as ReleasePlan;
const [SHADOW, CANARY] = PLAN.steps as [TrafficStep, TrafficStep];

type Behaviour = {
  readonly latencyMs?: number;
  readonly computeMs?: number;
  readonly errors?: number;
  readonly yes?: number;
  readonly confidence?: number;
  readonly right?: number;
  readonly agreed?: number;
};

/** What a version did to the units of some cohorts, `perCohort` requests each. */
function telemetryOf(cohorts: readonly number[], perCohort: number, behaviour: Behaviour, seed: number): Telemetry {
  const random = seededRandom(seed);
  const telemetry = emptyTelemetry('rel_1.1');
  const { latencyMs = 20, computeMs = 5, errors = 0, yes = 0.5, confidence = 0.8, right, agreed } = behaviour;
  for (const cohort of cohorts) {
    for (let request = 0; request < perCohort; request += 1) {
      recordAnswer(telemetry, {
        tenant: 'acme',
        latencyMs: latencyMs * (0.5 + random()),
        queueMs: 1,
        computeMs: computeMs * (0.5 + random()),
        rows: 1,
        inputElements: 1,
        error: random() < errors ? 'prediction-failed' : undefined,
        fellBack: false,
        label: random() < yes ? 'yes' : 'no',
        confidence: Math.min(1, confidence + 0.05 * random()),
        lot: { cohort, unit: Math.floor(random() * 2 ** 32) },
      });
      const seen = cohortIn(telemetry.release!, cohort);
      if (right !== undefined) {
        seen.feedback += 1;
        if (random() < right) seen.feedbackCorrect += 1;
      }
      if (agreed !== undefined) {
        seen.shadow.compared += 1;
        if (random() < agreed) seen.shadow.agreed += 1;
      }
    }
  }
  return telemetry;
}

const ON_CANDIDATE = Array.from({ length: COHORTS / 10 }, (_, cohort) => cohort);
const ON_STABLE = Array.from({ length: COHORTS - COHORTS / 10 }, (_, cohort) => cohort + COHORTS / 10);

function segment(candidate: Behaviour, shadow = false, perCohort = 10, stable: Behaviour = {}): Segment {
  return {
    weight: BUCKETS / 10,
    shadow,
    stable: telemetryOf(ON_STABLE, perCohort, stable, 1),
    candidate: telemetryOf(ON_CANDIDATE, perCohort, candidate, 2),
  };
}

function verdictOn(one: Segment, step = one.shadow ? SHADOW : CANARY) {
  return judge(step, PLAN.analysis, [one], NO_LOOKS);
}

describe('a verdict', () => {
  test('passes a version just like stable, in shadow and in canary, and says on what grounds', () => {
    const canary = verdictOn(segment({ right: 0.9 }, false, 10, { right: 0.9 }));
    expect(canary).toMatchObject({ outcome: 'pass', requests: 1000, looks: { total: 1 } });
    expect(canary.sentence).toContain(
      'no worse in errors, latency-p50, latency-p95, latency-p99, labels, confidence, accuracy, compute',
    );
    expect(verdictOn(segment({ agreed: 1 }, true)).outcome).toBe('pass');
  });

  test.each<[string, Behaviour, string, boolean]>([
    ['slow', { latencyMs: 40 }, 'p50 latency is', false],
    ['failing', { errors: 0.02 }, 'with errors were on the candidate', false],
    ['failing in shadow', { errors: 0.02, agreed: 1 }, 'with errors were on the candidate', true],
    ['that gives other labels', { yes: 0.05 }, 'labels diverge by', false],
    ['less sure of itself', { confidence: 0.3 }, 'confidence diverges by', false],
    ['less often right', { right: 0.6 }, "of the candidate's answers were right", false],
    ['dear', { computeMs: 10 }, 'ms of compute on the candidate', false],
    ['with permuted labels', { agreed: 0.5 }, 'of 1000 shadow answers agree', true],
  ])('fails a candidate %s for that very reason', (_, behaviour, reason, shadow) => {
    const verdict = verdictOn(segment(behaviour, shadow, 10, { right: 0.9, errors: 0.001 }));
    expect(verdict.outcome).toBe('fail');
    expect(verdict.sentence).toContain(reason);
  });

  test('takes no compute for dearer of which the size of runs is the cause, or that copies took', () => {
    const dear = { computeMs: 10 };
    const sized = (candidateRows: number) => {
      const one = segment(dear);
      one.stable.batchRows.add(8);
      one.candidate.batchRows.add(candidateRows);
      return verdictOn(one);
    };
    expect(sized(8).outcome).toBe('fail');
    expect(sized(2).outcome).toBe('pass');
    expect(verdictOn(segment({ ...dear, agreed: 1 }, true)).outcome).toBe('pass');
  });

  test('never passes and never fails without data', () => {
    const empty = { weight: 1000, stable: emptyTelemetry('rel_1.1'), candidate: emptyTelemetry('rel_1.1') };
    expect(judge(CANARY, PLAN.analysis, [], NO_LOOKS).outcome).toBe('inconclusive');
    for (const shadow of [true, false]) expect(verdictOn({ ...empty, shadow }).outcome).toBe('inconclusive');
    const noCandidate = { ...segment({}), candidate: emptyTelemetry('rel_1.1') };
    expect(verdictOn(noCandidate)).toMatchObject({ outcome: 'inconclusive', requests: 0 });
    const noStable = { ...segment({ latencyMs: 400 }), stable: emptyTelemetry('rel_1.1') };
    expect(verdictOn(noStable).outcome).toBe('inconclusive');
  });

  test('needs shadow answers that were compared, and labels of the candidate where stable has them', () => {
    expect(verdictOn(segment({}, true)).outcome).toBe('inconclusive');
    const silent = segment({});
    for (const cohort of silent.candidate.release!.cohorts.values())
      Object.assign(cohort, { labels: emptyTelemetry().labels });
    expect(verdictOn(silent).outcome).toBe('inconclusive');
  });

  test('waits for the least requests, but fails before them where it is sure', () => {
    expect(verdictOn(segment({}, false, 3))).toMatchObject({ outcome: 'inconclusive', requests: 300 });
    expect(verdictOn(segment({ latencyMs: 60 }, false, 3)).outcome).toBe('fail');
  });

  test('lets one heavy client decide nothing: a thousand errors of one user are one', () => {
    const one = segment({});
    for (let error = 0; error < 1000; error += 1)
      recordAnswer(one.candidate, {
        tenant: 'acme',
        latencyMs: 500,
        queueMs: 1,
        computeMs: 90,
        rows: 1,
        inputElements: 1,
        error: 'internal',
        fellBack: false,
        label: undefined,
        confidence: undefined,
        lot: { cohort: 5, unit: 99 },
      });
    expect(verdictOn(one).outcome).not.toBe('fail');
    expect(beyondHardLimit(PLAN.limits, one.candidate, one.candidate)).toBeUndefined();
  });

  test('takes no look twice, so that looking often makes no rollback likelier', () => {
    const slow = segment({ latencyMs: 40 });
    const first = verdictOn(slow);
    expect(first.outcome).toBe('fail');
    expect(judge(CANARY, PLAN.analysis, [slow], first.looks).checks.some(({ outcome }) => outcome === 'fail')).toBe(
      false,
    );
  });

  test('compares nothing where tenants are named or analysis is off: enough requests pass', () => {
    const named = { ...segment({ latencyMs: 90 }), weight: 0 };
    expect(judge(CANARY, PLAN.analysis, [named], NO_LOOKS)).toMatchObject({ outcome: 'pass', checks: [] });
    expect(verdictOn(segment({ latencyMs: 90 }), { ...CANARY, analysis: false } as TrafficStep).outcome).toBe('pass');
    expect(verdictOn(segment({}, false, 3), { ...CANARY, analysis: false } as TrafficStep).outcome).toBe(
      'inconclusive',
    );
  });
});

describe('a hard limit', () => {
  test.each([
    ['crashes', { ...emptyTelemetry(), crashes: 3 }, emptyTelemetry(), 'crashed its runner 3 times'],
    ['errors', emptyTelemetry(), telemetryOf(ON_CANDIDATE, 1, { errors: 0.5 }, 3), 'requests failed on the candidate'],
  ])('of %s ends a release whatever the verdict', (_, sinceStart, inStep, sentence) => {
    expect(beyondHardLimit(PLAN.limits, sinceStart, inStep)).toContain(sentence);
  });

  test('is not reached by fewer, by too few requests, or by refusals', () => {
    const none = emptyTelemetry();
    expect(beyondHardLimit(PLAN.limits, { ...none, crashes: 2 }, none)).toBeUndefined();
    expect(
      beyondHardLimit(PLAN.limits, none, telemetryOf(ON_CANDIDATE.slice(0, 49), 1, { errors: 1 }, 3)),
    ).toBeUndefined();
    const refused = { ...none, requests: 100, errors: new Map([['quota-exceeded', 100] as const]) };
    expect(beyondHardLimit(PLAN.limits, none, refused)).toBeUndefined();
  });
});
