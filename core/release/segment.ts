import type { Cohort, Telemetry } from '../ports/telemetry.ts';
import { BUCKETS, cohortsBelow } from './assign.ts';

/** A time in which the candidate's share stayed as it was, and what both versions did in it. */
export type Segment = {
  /** Buckets whose units the candidate answers, or, where `shadow`, answers too. */
  readonly weight: number;
  readonly shadow: boolean;
  readonly stable: Telemetry;
  readonly candidate: Telemetry;
};

/** Slices of the buckets, all of one size and drawn by one lot: had the version no influence, they would be interchangeable. */
export type Sides = { readonly candidate: readonly Cohort[]; readonly stable: readonly Cohort[] };

/** Cohorts wholly on the candidate, and those wholly on stable, that saw something. */
export function sidesOf({ weight, candidate, stable }: Segment): Sides {
  const { below, firstAbove } = cohortsBelow(weight);
  return {
    candidate: cohorts(candidate, (cohort) => cohort < below),
    stable: cohorts(stable, (cohort) => cohort >= firstAbove),
  };
}

/** Requests of the candidate that were drawn by lot. */
export function drawnRequests({ candidate }: Segment): number {
  let requests = 0;
  for (const cohort of candidate.release?.cohorts.values() ?? []) requests += cohort.requests;
  return requests;
}

/**
 * Chance that a unit which fails anyway is counted as the candidate's. A unit that is shadowed is on both: it is the candidate's only if stable did not fail
 * for it too, and then the candidate had `weight` chances beside stable's all.
 */
export function candidateShare({ weight, shadow }: Segment): number {
  const share = weight / BUCKETS;
  return shadow ? share / (1 + share) : share;
}

/** True if both versions answered units drawn by lot, so that they can be compared. */
export function isCompared({ weight }: Segment): boolean {
  return weight > 0 && weight < BUCKETS;
}

function cohorts({ release }: Telemetry, isIn: (cohort: number) => boolean): Cohort[] {
  const found: Cohort[] = [];
  for (const [number, cohort] of release?.cohorts ?? []) if (isIn(number) && cohort.requests > 0) found.push(cohort);
  return found;
}
