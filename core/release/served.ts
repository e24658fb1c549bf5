import type { ModelRoute } from '../models/version.ts';
import { MINUTE_MS } from '../units.ts';
import type { AssignBy } from './assign.ts';
import { isActive, lotOf, type Release, type ReleaseRoute, routeOf } from './release.ts';

/**
 * How long a release that has ended says who serves: until then its driver has long written the same to the model's route, and a stable version that is
 * set by hand later counts again.
 */
const ENDED_COUNTS_MS = 10 * MINUTE_MS;

/** A release as requests and jobs have to do with it. */
export type ReleaseTraffic = ReleaseRoute & {
  /** Names its telemetry, and draws its lot. */
  readonly lot: string;
  readonly assignBy: AssignBy;
};

/** What a release says of requests at this time; undefined: nothing any more, the model's route does. */
function trafficOf(release: Release | undefined, nowMs: number): ReleaseTraffic | undefined {
  if (release === undefined) return undefined;
  const { state, plan } = release;
  if (!isActive(release) && 'atMs' in state && nowMs - state.atMs > ENDED_COUNTS_MS) return undefined;
  return { ...routeOf(release), lot: lotOf(release), assignBy: plan.assignBy };
}

/**
 * The traffic of a model by its route and its latest release. One that has ended says who serves only while the route names one of its two versions: a third
 * was set by hand since.
 */
export function servedBy(
  route: ModelRoute | undefined,
  release: Release | undefined,
  nowMs: number,
): ReleaseTraffic | undefined {
  const traffic = trafficOf(release, nowMs);
  if (release === undefined || traffic === undefined || isActive(release)) return traffic;
  const { stable, candidate, state } = release;
  const known = [stable, candidate, 'to' in state ? state.to : undefined];
  return known.includes(route?.stable) ? traffic : undefined;
}

/** A version whose jobs run on another one unless their callers named it. */
export type Revocation = Pick<ReleaseRoute, 'serving'> & { readonly revoked: string };

/**
 * Which version the latest release of a model has revoked. Long after its end jobs may still wait for that: they run on what serves by then, and as they
 * are if it is this very version.
 */
export function revocationOf(release: Release, route: ModelRoute | undefined, nowMs: number): Revocation | undefined {
  const { revoked, serving } = routeOf(release);
  if (revoked === undefined) return undefined;
  if (servedBy(route, release, nowMs) !== undefined) return { revoked, serving };
  const stable = route?.stable;
  return stable === undefined || stable === revoked ? undefined : { revoked, serving: stable };
}
