import type { Platform } from '../ports/platform.ts';
import type { Page } from '../ports/registry.ts';
import { isActive, type Release } from './release.ts';

/**
 * Releases of all models, the newest start first. `active`: only those that are. A cursor is the `next` of a former page of the same list; active ones that
 * start or end in between are in no later page or in it twice never.
 */
export function listAllReleases(
  { releases }: Pick<Platform, 'releases'>,
  state: 'active' | 'all',
  limit: number,
  cursor?: string,
): Promise<Page<Release>> {
  return state === 'all' ? releases.listRecent(limit, cursor) : listActive(releases, limit, cursor);
}

/** There are as many at the most as models: few, and workers read them all every second. */
async function listActive(releases: Platform['releases'], limit: number, cursor?: string): Promise<Page<Release>> {
  const all = (await releases.listActive()).filter(isActive).map((release) => ({ release, place: placeOf(release) }));
  all.sort((a, b) => (a.place < b.place ? 1 : -1));
  const rest = cursor === undefined ? all : all.filter(({ place }) => place < cursor);
  const page = rest.slice(0, limit);
  return {
    items: page.map(({ release }) => release),
    next: rest.length > limit ? page.at(-1)?.place : undefined,
  };
}

/** Sorts by start. */
function placeOf({ startedAtMs, id }: Release): string {
  return `${String(Math.floor(startedAtMs)).padStart(16, '0')}#${id}`;
}
