import { Failure } from '../failure.ts';
import type { RegionConfig } from '../ports/platform.ts';
import type { WrongRegion } from './tenant.ts';

/** What a region does with a request whose tenant lives in another one. */
export type Elsewhere =
  | { readonly kind: 'refuse' }
  | { readonly kind: 'redirect' | 'forward'; readonly homeUrl: string };

/**
 * Refused with the way home unless the tenant opted in to more. A request that was forwarded once is never forwarded or
 * redirected again: two regions that disagree about a home must not send it back and forth.
 */
export function decideElsewhere(
  config: Pick<RegionConfig, 'regionUrls'>,
  home: string,
  policy: WrongRegion,
  alreadyForwarded: boolean,
): Elsewhere {
  const homeUrl = config.regionUrls[home];
  if (homeUrl === undefined || policy === 'refuse' || alreadyForwarded) return { kind: 'refuse' };
  return { kind: policy, homeUrl };
}

/** `wrong-region` with where to go, as far as this region was told. */
export function wrongRegion(config: Pick<RegionConfig, 'region' | 'regionUrls'>, home: string): Failure {
  const homeUrl = config.regionUrls[home];
  return new Failure('wrong-region', {
    detail: `this is region ${config.region}`,
    homeRegion: home,
    ...(homeUrl === undefined ? {} : { homeUrl }),
  });
}
