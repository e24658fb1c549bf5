import { hashText } from '../quality/text-hash.ts';

/** A bucket is 0.01 % of the units of a release; weights are in buckets. */
export const BUCKETS = 10_000;
export const BUCKETS_PER_PERCENT = 100;
/** Cohorts are slices of 50 buckets: what is compared in a verdict. A weight of 5 % gives the candidate 10 of 200. */
export const COHORTS = 1000;
const BUCKETS_PER_COHORT = BUCKETS / COHORTS;
/** Apart from the seeds of other hashes, so that the sample of a release's units says nothing of their buckets. */
const UNIT_SEED = 0x5bd1e995;

export const ASSIGN_BY = ['user', 'tenant', 'request'] as const;
/** What stays on one version: an end user of a tenant (its principal where no user is named), a tenant, or nothing beyond one request. */
export type AssignBy = (typeof ASSIGN_BY)[number];

/** Who asks, as far as a release looks at it. */
export type Asker = {
  readonly tenant: string;
  /** The tenant's plan. */
  readonly plan: string;
  /** The end user, or the principal if there is none. */
  readonly user: string;
  /** Id of the prediction. */
  readonly request: string;
};

/** Who is on the candidate: these tenants, tenants of these plans, and the units in the buckets below `weight`. */
export type Share = {
  readonly weight: number;
  readonly tenants: readonly string[];
  readonly plans: readonly string[];
};

export const NOBODY: Share = { weight: 0, tenants: [], plans: [] };

/**
 * The bucket of a unit, 0 to 9,999: uniform, the same for the same release and unit on every machine and for ever. Two releases are independent.
 * Takes time in proportion to the texts and allocates nothing.
 */
export function bucketOf(release: string, assignBy: AssignBy, asker: Asker): number {
  return Math.floor((hashUnit(hashText(0, release), assignBy, asker) / 2 ** 32) * BUCKETS);
}

/** Tells a unit from others in counts of units (32 bits); independent of its bucket. */
export function unitHash(release: string, assignBy: AssignBy, asker: Asker): number {
  return hashUnit(hashText(UNIT_SEED, release), assignBy, asker);
}

/**
 * True if the candidate answers. Monotone: whoever is in a share is in every share that has at least its weight, its tenants and its plans.
 * `bucket` is that of `bucketOf`.
 */
export function inShare(share: Share, bucket: number, asker: Asker): boolean {
  return bucket < share.weight || isNamed(share, asker);
}

/** True if the asker is on the candidate by name: such requests are not drawn by lot, and no cohort counts them. */
export function isNamed({ tenants, plans }: Share, asker: Asker): boolean {
  return tenants.includes(asker.tenant) || plans.includes(asker.plan);
}

/** The slice of buckets that is compared as one. */
export function cohortOf(bucket: number): number {
  return Math.floor(bucket / BUCKETS_PER_COHORT);
}

/** Cohorts that lie wholly below a weight, and the first that lies wholly at or above it. Between them there is at most one, which is mixed. */
export function cohortsBelow(weight: number): { readonly below: number; readonly firstAbove: number } {
  return { below: Math.floor(weight / BUCKETS_PER_COHORT), firstAbove: Math.ceil(weight / BUCKETS_PER_COHORT) };
}

function hashUnit(seed: number, assignBy: AssignBy, asker: Asker): number {
  const tenant = hashText(seed, asker.tenant);
  if (assignBy === 'tenant') return tenant;
  return hashText(tenant, assignBy === 'user' ? asker.user : asker.request);
}
