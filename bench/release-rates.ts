import { type ReleasePlan, readReleasePlan } from '../core/release/plan.ts';
import { type Extent, IDENTICAL, ReleaseTraffic, type SimulatedRelease, type Truth } from './release-traffic.ts';

/** Releases that share a population of tenants and users; each draws its own lot. */
const RELEASES_A_POPULATION = 10;

export type Case = {
  readonly name: string;
  readonly plan: ReleasePlan;
  readonly truth: Truth;
  readonly extent: Extent;
};

export const TWENTY_TIMES_THE_ERRORS: Truth = { extraErrors: 0.019, slowness: 1 };
export const TWICE_THE_LATENCY: Truth = { extraErrors: 0, slowness: 2 };
export { IDENTICAL };

const WHOLE: Extent = { leastRequests: 500, mostRequests: Number.POSITIVE_INFINITY, lookEvery: 50 };
/** Looks are every 20 requests, and one user's session may overshoot: what is decided by then was decided within 500. */
const FIRST_500: Extent = { leastRequests: 500, mostRequests: 480, lookEvery: 20 };

/** The plan that a manifest without `release` has, and a canary at once, of a share and by lot of users or requests. */
export function defaultPlan(): ReleasePlan {
  return planOf({});
}

export function canaryPlan(percent: number, assignBy: ReleasePlan['assignBy']): ReleasePlan {
  return planOf({ assignBy, steps: [{ setWeight: percent }, { setWeight: 100 }] });
}

export function whole(name: string, plan: ReleasePlan, truth: Truth): Case {
  return { name, plan, truth, extent: WHOLE };
}

export function first500(name: string, plan: ReleasePlan, truth: Truth): Case {
  return { name, plan, truth, extent: FIRST_500 };
}

/** Simulates `runs` releases; the same seed gives the same ones. */
export function simulate({ plan, truth, extent }: Case, runs: number, seed: number): SimulatedRelease[] {
  let traffic = new ReleaseTraffic(seed);
  return Array.from({ length: runs }, (_, run) => {
    if (run > 0 && run % RELEASES_A_POPULATION === 0) traffic = new ReleaseTraffic(seed + run);
    return traffic.release(`rel_${seed}_${run}`, plan, truth, extent);
  });
}

/**
 * The bounds between which the true rate lies with 95 % confidence on each side: Clopper and Pearson, Biometrika 26(4), 1934, by bisection of the
 * binomial tails.
 */
export function rateBounds(hits: number, runs: number): { readonly least: number; readonly most: number } {
  const least = hits === 0 ? 0 : bisect((rate) => 1 - atMost(hits - 1, runs, rate) < 0.05);
  const most = hits === runs ? 1 : bisect((rate) => atMost(hits, runs, rate) > 0.05);
  return { least, most };
}

/** The greatest rate for which `holds`, which it does from 0 up to somewhere. */
function bisect(holds: (rate: number) => boolean): number {
  let [low, high] = [0, 1];
  for (let halving = 0; halving < 50; halving += 1) {
    const middle = (low + high) / 2;
    if (holds(middle)) low = middle;
    else high = middle;
  }
  return low;
}

/** P(X ≤ k) of a binomial variable. */
function atMost(k: number, n: number, p: number): number {
  let log = n * Math.log1p(-p);
  let sum = Math.exp(log);
  for (let i = 1; i <= k; i += 1) {
    log += Math.log(((n - i + 1) * p) / (i * (1 - p)));
    sum += Math.exp(log);
  }
  return sum;
}

function planOf(spec: unknown): ReleasePlan {
  const plan = readReleasePlan(spec);
  if (!('steps' in plan)) throw new Error(plan.join('; '));
  return plan;
}
