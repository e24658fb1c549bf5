import { bucketOf, cohortOf, isNamed, unitHash } from '../release/assign.ts';
import type { ReleaseTraffic } from '../release/served.ts';
import type { Assignment } from './job.ts';
import type { Caller } from './request.ts';

/** Which version of a release answers a request, and what of that goes with its job. */
export type Assigned = {
  readonly version: string;
  readonly assignment: Assignment;
  /** Of the prediction: a release by request draws by it. */
  readonly id: string;
};

/**
 * The version of a release that answers: the same for the same unit as long as the release's weight grows, and back on stable
 * the moment the release says so. Callers who name a version, or whose tenant pins one, have nothing to do with it.
 */
export function assignVersion({ principal, tenant }: Caller, traffic: ReleaseTraffic, id: string): Assigned {
  const { candidate, serving, share, shadow, lot: release, assignBy } = traffic;
  if (candidate === undefined) return { version: serving, assignment: {}, id };
  const asker = { tenant: tenant.id, plan: tenant.plan, user: principal.user ?? principal.id, request: id };
  if (isNamed(share, asker)) return { version: candidate, assignment: { onCandidate: true }, id };
  const bucket = bucketOf(release, assignBy, asker);
  const lot = { release, cohort: cohortOf(bucket), unit: unitHash(release, assignBy, asker) };
  if (bucket < share.weight) return { version: candidate, assignment: { lot, onCandidate: true }, id };
  const isShadowed = bucket < shadow;
  return { version: serving, assignment: isShadowed ? { lot, shadowOn: candidate } : { lot }, id };
}
