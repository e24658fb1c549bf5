import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Caller } from '../../../../core/inference/request.ts';
import type { KeptPrediction } from '../../../../core/ports/feedbacks.ts';
import { giveFeedback } from '../../../../core/quality/feedback/give-feedback.ts';
import { TOLD_LATE_MS } from '../../../../core/quality/feedback/limits.ts';
import { Recorder } from '../../../../core/quality/recorder.ts';
import { BUCKETS, COHORTS } from '../../../../core/release/assign.ts';
import { judge } from '../../../../core/release/judge.ts';
import { type ReleasePlan, readReleasePlan, type TrafficStep } from '../../../../core/release/plan.ts';
import { lotOf } from '../../../../core/release/release.ts';
import { NO_LOOKS } from '../../../../core/release/statistics/looks.ts';
import type { Verdict } from '../../../../core/release/verdict.ts';
import { DAY_MS } from '../../../../core/units.ts';
import { failureCodeOf } from '../../../contract/contract.ts';
import { aJob, aVersion, ROW_SIGNATURE } from '../../../support/jobs.ts';
import { aKeptPrediction } from '../../../support/kept-predictions.ts';
import { type LocalPlatform, openLocalPlatform } from '../../../support/local-platform.ts';
import { aStart } from '../../../support/release-start.ts';

const OUTPUTS = [{ name: 'label', datatype: 'INT64' as const, shape: ['batch'] }];
const PLAN_FILE = { steps: [{ setWeight: 50, hold: { minRequests: 100 } }, { setWeight: 100 }] };
const EVER = 1e15;

let local: LocalPlatform;
let recorder: Recorder;

beforeEach(async () => {
  local = await openLocalPlatform();
  recorder = new Recorder({ ...local.ports, clock: local.clock, log: local.log });
  const { registry } = local.ports;
  for (const digest of ['a', 'b']) {
    const { version: _, ...pushed } = aVersion({
      signature: { ...ROW_SIGNATURE, outputs: OUTPUTS },
      manifest: { feedback: { days: 7 } },
    });
    await registry.addVersion({ ...pushed, digest: digest.repeat(64) });
  }
  await registry.writeRoute({ model: 'm', stable: '1', epoch: 1 });
});

afterEach(() => local.close());

/** Nobody waits for what was not kept: time stands still here. */
function ports() {
  const clock = { nowMs: () => local.clock.nowMs(), sleep: async () => {} };
  return { ...local.ports, clock, recorder };
}

function aCaller(tenant = 'acme', user?: string): Caller {
  const principal = { id: user === undefined ? 'key:1' : `user:${user}`, role: 'tenant-user', tenant, user };
  return { principal, tenant: { id: tenant } } as unknown as Caller;
}

async function keep(changes: Partial<KeptPrediction> = {}): Promise<KeptPrediction> {
  const rows = [{ label: '1', confidence: undefined }];
  const prediction = aKeptPrediction(local.clock.nowMs(), { rows, ...changes });
  await local.ports.feedbacks.keep([prediction]);
  return prediction;
}

const give = (id: string, label: string | number | readonly (string | number)[], caller = aCaller()) =>
  giveFeedback(ports(), caller, id, { label, knownAtMs: undefined });

async function seen(version = '1', release?: string) {
  await recorder.flush();
  return local.ports.telemetry.read('m', version, 0, EVER, release);
}

describe('the truth of a prediction', () => {
  test('is counted for the version that answered, each of its rows once, however often it is told', async () => {
    const rows = ['1', '2', '1'].map((label) => ({ label, confidence: 0.5 }));
    const { id } = await keep({ version: '2', rows });
    expect(await give(id, [1, '1', 1])).toBe('counted');
    expect(await give(id, ['1', 1, '1'])).toBe('again');
    const { feedback, feedbackCorrect, confusion, calibration, feedbackTenants } = await seen('2');
    expect([feedback, feedbackCorrect, calibration.total, feedbackTenants.get('acme')]).toEqual([3, 2, 3, 3]);
    expect(confusion.of('1')?.contents().counts).toEqual([
      ['1', 2],
      ['2', 1],
    ]);
    expect((await seen('1')).feedback).toBe(0);
  });

  test('is late from the day on that the manifest names, and unknown a week after', async () => {
    const { id, expiresAtMs } = await keep();
    const leftMs = expiresAtMs - local.clock.nowMs();
    await local.clock.advance(leftMs);
    expect(await failureCodeOf(give(id, 1))).toBe('feedback-too-late');
    await local.clock.advance(TOLD_LATE_MS - 1);
    expect(await failureCodeOf(give(id, 1))).toBe('feedback-too-late');
    await local.clock.advance(1);
    expect(await failureCodeOf(give(id, 1))).toBe('prediction-unknown');
    const late = await keep();
    await local.clock.advance(leftMs - 1);
    expect(await give(late.id, 1)).toBe('counted');
  });

  test('that differs is refused, and what was told first stays', async () => {
    const { id } = await keep();
    await give(id, 1);
    expect(await failureCodeOf(give(id, 2))).toBe('feedback-conflict');
    expect((await seen()).feedback).toBe(1);
  });

  test("is told by the prediction's own user, and by keys of its tenant", async () => {
    const { id } = await keep({ principal: 'user:ann' });
    expect(await failureCodeOf(give(id, 1, aCaller('acme', 'ben')))).toBe('prediction-unknown');
    expect(await failureCodeOf(give(id, 1, aCaller('globex')))).toBe('prediction-unknown');
    expect(await give(id, 1, aCaller('acme', 'ann'))).toBe('counted');
    expect(await give(id, 1)).toBe('again');
  });

  test.each([
    ['an hour ahead', 3_600_000],
    ['an hour before the answer', -3_600_000],
  ])('is not known %s', async (_, ms) => {
    const { id } = await keep();
    const truth = { label: 1, knownAtMs: local.clock.nowMs() + ms };
    expect(await failureCodeOf(giveFeedback(ports(), aCaller(), id, truth))).toBe('request-invalid');
  });

  test('of a prediction that has not ended, failed, or whose model keeps none says which', async () => {
    const { jobs, registry } = local.ports;
    const { version: _, ...silent } = aVersion({ model: 'silent' });
    await registry.addVersion(silent);
    const [open, failed, other] = [
      aJob({ durable: true }),
      aJob({ durable: true }),
      aJob({ durable: true, model: 'silent' }),
    ];
    for (const job of [open, failed, other]) await jobs.create(job, local.clock.nowMs() + DAY_MS);
    const outcome = { kind: 'failed', code: 'prediction-failed', facts: {}, computeMs: 0, endedAtMs: 0 } as const;
    await jobs.finish(failed, outcome);
    expect(await failureCodeOf(give(open.id, 1))).toBe('state-conflict');
    expect(await failureCodeOf(give(failed.id, 1))).toBe('feedback-not-kept');
    expect(await failureCodeOf(give(other.id, 1))).toBe('feedback-not-kept');
  });
});

describe('of a release', () => {
  /** A request in each of some cohorts, answered by the version that has it, and its truth. */
  async function told(candidateRight: number, stableRight: number): Promise<Verdict> {
    const { release, audits } = aStart(local.clock.nowMs(), { plan: PLAN_FILE });
    await local.ports.releases.start(release, audits);
    const lots = lotOf(release);
    const asked = Array.from({ length: COHORTS / 4 }, async (_, at) => {
      const cohort = 4 * at;
      const version = cohort < COHORTS / 2 ? '2' : '1';
      const lot = { release: lots, cohort, unit: cohort };
      const job = aJob({ version, lot, acceptedAtMs: local.clock.nowMs() });
      const measures = { computeMs: 1, queueMs: 0, batchRows: 1, endedAtMs: local.clock.nowMs() + 5 };
      recorder.jobEnded(job, { outcome: { kind: 'succeeded', version, outputs: [], ...measures } });
      const { id } = await keep({ version, lot });
      const right = version === '2' ? candidateRight : stableRight;
      await give(id, at % 10 < right * 10 ? 1 : 0);
    });
    await Promise.all(asked);
    const [stable, candidate] = [await seen('1', lots), await seen('2', lots)];
    const plan = readReleasePlan(PLAN_FILE) as ReleasePlan;
    const segment = { weight: BUCKETS / 2, shadow: false, stable, candidate };
    return judge(plan.steps[0] as TrafficStep, plan.analysis, [segment], NO_LOOKS);
  }

  test('a candidate that is right less often, by the feedback of those whom it answered, fails for it', async () => {
    const verdict = await told(0.6, 0.9);
    const accuracy = verdict.checks.find(({ name }) => name === 'accuracy');
    expect(accuracy).toMatchObject({
      outcome: 'fail',
      stable: expect.closeTo(0.9, 1),
      candidate: expect.closeTo(0.6, 1),
    });
    expect(verdict.outcome).toBe('fail');
    expect(verdict.sentence).toContain("of the candidate's answers were right");
  });

  test('one that is right as often passes', async () => {
    const verdict = await told(0.9, 0.9);
    expect(verdict).toMatchObject({ outcome: 'pass' });
    expect(verdict.sentence).toContain('accuracy');
  });

  test('what was drawn by an earlier one is counted for its version alone', async () => {
    const { release, audits } = aStart(local.clock.nowMs(), { plan: PLAN_FILE });
    await local.ports.releases.start(release, audits);
    const { id } = await keep({ version: '2', lot: { release: 'an earlier one', cohort: 3, unit: 7 } });
    await give(id, 1);
    const { feedback, release: cohorts } = await seen('2', lotOf(release));
    expect([feedback, cohorts?.cohorts.size]).toEqual([1, 0]);
  });
});
