import { recordAnswer } from '../core/quality/record-answer.ts';
import { emptyTelemetry } from '../core/quality/telemetry.ts';
import { type Asker, type AssignBy, bucketOf, cohortOf, unitHash } from '../core/release/assign.ts';
import { beyondHardLimit } from '../core/release/hard-limit.ts';
import { judge } from '../core/release/judge.ts';
import { isGate, type ReleasePlan, type TrafficStep } from '../core/release/plan.ts';
import type { Segment } from '../core/release/segment.ts';
import { NO_LOOKS } from '../core/release/statistics/looks.ts';
import { seededRandom } from '../core/seeded-random.ts';

/** What is true of the candidate: its share of errors beyond those that stable has, and how many times as long it takes. */
export type Truth = { readonly extraErrors: number; readonly slowness: number };

/**
 * How long steps go on: until their verdict is a pass and the candidate has seen `leastRequests`; the release is left when it has seen `mostRequests`.
 * The verdict is asked for every `lookEvery` requests of the candidate.
 */
export type Extent = { readonly leastRequests: number; readonly mostRequests: number; readonly lookEvery: number };

export const IDENTICAL: Truth = { extraErrors: 0, slowness: 1 };

export type SimulatedRelease =
  | { readonly kind: 'promoted'; readonly candidateRequests: number }
  | { readonly kind: 'aborted'; readonly candidateRequests: number; readonly why: string }
  | { readonly kind: 'held'; readonly candidateRequests: number };

type User = {
  readonly asker: Asker;
  readonly logLatency: number;
  readonly errorFactor: number;
  bucket: number;
  hash: number;
};

/** Shares of all requests: 0.1 % errors, half of them alone, half in sessions in which half of the requests fail. */
const ERRORS = { alone: 0.0005, badSession: 0.001, withinBad: 0.5 } as const;
const SESSION_REQUESTS = 4;
const TENANTS = 300;

/**
 * Traffic of many tenants as a release meets it: tenants and users whose volumes follow Zipf's law, latencies and error rates of their own that stay
 * with them, requests in sessions, errors that come in bursts of one client, latencies with a Pareto tail, and a platform that is now
 * faster, now slower for everybody.
 */
export class ReleaseTraffic {
  readonly #random: () => number;
  readonly #users: User[] = [];
  readonly #cumulative: Float64Array;
  #pace = 0;

  constructor(seed: number) {
    this.#random = seededRandom(seed);
    const weights: number[] = [];
    for (let tenant = 0; tenant < TENANTS; tenant += 1) this.#addTenant(tenant, weights);
    this.#cumulative = new Float64Array(weights.length);
    let sum = 0;
    for (const [at, weight] of weights.entries()) this.#cumulative[at] = sum += weight;
  }

  /**
   * One whole release by the steps of a plan. `held`: it was left, or one step had not passed at 20 times its least
   * requests.
   */
  release(
    id: string,
    plan: ReleasePlan,
    truth: Truth,
    { leastRequests, mostRequests, lookEvery }: Extent,
  ): SimulatedRelease {
    for (const user of this.#users) {
      user.bucket = bucketOf(id, plan.assignBy, user.asker);
      user.hash = unitHash(id, plan.assignBy, user.asker);
    }
    const segments: Segment[] = [];
    let [before, looks] = [0, NO_LOOKS];
    for (const step of plan.steps) {
      if (isGate(step) || ('setWeight' in step && step.setWeight === 100)) continue;
      const segment = startOf(id, step);
      const { candidate } = segment;
      segments.push(segment);
      looks = { ...looks, inStep: 0 };
      for (let passed = false; !passed; ) {
        const target = candidate.requests + lookEvery;
        while (candidate.requests < target) this.#session(segment, plan.assignBy, truth, id);
        const candidateRequests = before + candidate.requests;
        const verdict = judge(step, plan.analysis, segments, looks);
        looks = verdict.looks;
        const beyond = beyondHardLimit(plan.limits, candidate, candidate);
        if (beyond !== undefined) return { kind: 'aborted', candidateRequests, why: beyond };
        if (verdict.outcome === 'fail') return { kind: 'aborted', candidateRequests, why: verdict.sentence };
        passed = verdict.outcome === 'pass' && candidate.requests >= leastRequests;
        const isLong = candidate.requests > 20 * leastRequests || candidateRequests >= mostRequests;
        if (!passed && isLong) return { kind: 'held', candidateRequests };
      }
      before += candidate.requests;
    }
    return { kind: 'promoted', candidateRequests: before };
  }

  #addTenant(tenant: number, weights: number[]): void {
    const volume = (tenant + 1) ** -1.1;
    // Those who send more have more users: the largest tenant sends 19 % of all, its first user 1 to 2 %.
    const users = Math.min(1000, Math.ceil(8 * this.#random() ** -0.8 * (1 + 40 * volume)));
    const logLatency = 2.5 + 0.6 * this.#normal();
    const errorFactor = Math.exp(1.2 * this.#normal() - 0.72);
    const shares = Array.from({ length: users }, (_, user) => 1 / (user + 2));
    const total = shares.reduce((sum, share) => sum + share, 0);
    for (const [user, share] of shares.entries()) {
      weights.push((volume * share) / total);
      this.#users.push({
        asker: { tenant: `tenant-${tenant}`, plan: 'pro', user: `user-${user}`, request: '' },
        logLatency: logLatency + 0.4 * this.#normal(),
        errorFactor: errorFactor * Math.exp(0.8 * this.#normal() - 0.32),
        bucket: 0,
        hash: 0,
      });
    }
  }

  #session(segment: Segment, assignBy: AssignBy, truth: Truth, release: string): void {
    const user = this.#draw();
    this.#pace = 0.995 * this.#pace + 0.02 * this.#normal();
    const isBad = this.#random() < ERRORS.badSession * user.errorFactor;
    do {
      if (assignBy === 'request') {
        const asker = { ...user.asker, request: `pred_${Math.floor(this.#random() * 2 ** 48)}` };
        user.bucket = bucketOf(release, assignBy, asker);
        user.hash = unitHash(release, assignBy, asker);
      }
      this.#request(segment, user, isBad, truth);
    } while (this.#random() < 1 - 1 / SESSION_REQUESTS);
  }

  #request(segment: Segment, user: User, isBad: boolean, truth: Truth): void {
    const isDrawn = user.bucket < segment.weight;
    const failsAnyway = this.#random() < (isBad ? ERRORS.withinBad : ERRORS.alone * user.errorFactor);
    const outlier = this.#random() < 0.02 ? 3 * this.#random() ** (-1 / 1.5) : 1;
    const computeMs = Math.exp(user.logLatency + 0.5 * this.#normal());
    const latencyMs = computeMs * outlier * Math.exp(this.#pace);
    const answer = (telemetry: Segment['stable'], slowness: number, fails: boolean) =>
      recordAnswer(telemetry, {
        tenant: user.asker.tenant,
        latencyMs: latencyMs * slowness,
        queueMs: 1,
        computeMs: computeMs * slowness,
        rows: 1,
        inputElements: 32,
        error: fails ? 'prediction-failed' : undefined,
        fellBack: false,
        label: user.hash % 3 === 0 ? 'yes' : 'no',
        confidence: 0.5 + 0.5 * this.#random(),
        lot: { cohort: cohortOf(user.bucket), unit: user.hash },
      });
    if (!isDrawn || segment.shadow) answer(segment.stable, 1, failsAnyway);
    if (!isDrawn) return;
    answer(segment.candidate, truth.slowness, failsAnyway || this.#random() < truth.extraErrors);
    const cohort = segment.candidate.release?.cohorts.get(cohortOf(user.bucket));
    if (segment.shadow && cohort !== undefined) {
      cohort.shadow.compared += 1;
      cohort.shadow.agreed += 1;
    }
  }

  #draw(): User {
    const at = this.#random() * this.#cumulative.at(-1)!;
    let [low, high] = [0, this.#cumulative.length - 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#cumulative[middle]! < at) low = middle + 1;
      else high = middle;
    }
    return this.#users[low]!;
  }

  #normal(): number {
    return Math.sqrt(-2 * Math.log(1 - this.#random())) * Math.cos(2 * Math.PI * this.#random());
  }
}

function startOf(id: string, step: TrafficStep): Segment {
  const shadow = 'shadow' in step;
  const percent = shadow ? step.shadow : step.setWeight;
  if (typeof percent !== 'number') throw new Error('named tenants are not simulated');
  return { weight: percent * 100, shadow, stable: emptyTelemetry(id), candidate: emptyTelemetry(id) };
}
