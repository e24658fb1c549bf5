import type { ModelRoute, ModelVersion } from '../models/version.ts';
import type { Platform } from '../ports/platform.ts';
import { DAY_MS } from '../units.ts';
import { dayOf } from './meter-days.ts';
import { eachDay } from './read-cost.ts';

/** Models that are looked at together: a few reads each. */
const MODELS_AT_ONCE = 16;
/** Newest first. */
const MOST_VERSIONS = 100;
const MOST_RELEASES = 200;
/** Beyond it the list says that there is more. */
const MOST_ORPHANS = 1000;

export type Orphan =
  /** Has a stable version that nobody called. */
  | { readonly kind: 'model'; readonly model: string; readonly version: string; readonly pushedAtMs: number }
  /** Neither stable nor in any release, and nobody called it by its number. */
  | { readonly kind: 'version'; readonly model: string; readonly version: string; readonly pushedAtMs: number }
  /** Its workers ran nothing for anybody. */
  | { readonly kind: 'pool'; readonly pool: string; readonly nanoUsd: number };

export type Orphans = { readonly orphans: readonly Orphan[]; readonly hasMore: boolean };

type OrphanPorts = Pick<Platform, 'meters' | 'registry' | 'releases' | 'telemetry' | 'clock' | 'config'>;

type Seen = {
  /** `model@version` that somebody called, answers from the cache among them. */
  readonly versions: ReadonlySet<string>;
  readonly models: ReadonlySet<string>;
  /** Of each pool with workers or work: what it cost, and whether anybody used it. */
  readonly pools: ReadonlyMap<string, { readonly nanoUsd: number; readonly isUsed: boolean }>;
};

/** What is kept or paid for and was of no use to anybody for so many days. What is younger than that is not yet an orphan. */
export async function findOrphans(ports: OrphanPorts, days: number): Promise<Orphans> {
  const nowMs = ports.clock.nowMs();
  const seen = await look(ports, days, nowMs);
  const orphans: Orphan[] = [];
  for (const pool of ports.config.pools) {
    const { isUsed = false, nanoUsd = 0 } = seen.pools.get(pool) ?? {};
    if (!isUsed) orphans.push({ kind: 'pool', pool, nanoUsd });
  }
  let cursor: string | undefined;
  do {
    const page = await ports.registry.listModels(MODELS_AT_ONCE, cursor);
    const found = await Promise.all(page.items.map((route) => ofModel(ports, route, seen, nowMs - days * DAY_MS)));
    orphans.push(...found.flat());
    cursor = page.next;
  } while (cursor !== undefined && orphans.length < MOST_ORPHANS);
  return { orphans: orphans.slice(0, MOST_ORPHANS), hasMore: cursor !== undefined || orphans.length > MOST_ORPHANS };
}

async function look(ports: OrphanPorts, days: number, nowMs: number): Promise<Seen> {
  const [versions, models] = [new Set<string>(), new Set<string>()];
  const pools = new Map<string, { nanoUsd: number; isUsed: boolean }>();
  const called = (model: string, version: string) => {
    versions.add(`${model}@${version}`);
    models.add(model);
  };
  const poolOf = (pool: string) => {
    const known = pools.get(pool) ?? { nanoUsd: 0, isUsed: false };
    pools.set(pool, known);
    return known;
  };
  const today = dayOf(nowMs);
  await eachDay(ports, { from: today - days, until: today + 1 }, ({ uses, workers }) => {
    for (const worker of workers) poolOf(worker.pool).nanoUsd += worker.nanoUsd;
    for (const { tenant, model, version, pool } of uses) {
      if (tenant === '') continue;
      called(model, version);
      poolOf(pool).isUsed = true;
    }
  });
  for (const { model, version } of await ports.telemetry.activeVersions(nowMs - days * DAY_MS, nowMs))
    called(model, version);
  return { versions, models, pools };
}

async function ofModel(ports: OrphanPorts, route: ModelRoute, seen: Seen, beforeMs: number): Promise<Orphan[]> {
  const { model, stable } = route;
  const { items } = await ports.registry.listVersions(model, MOST_VERSIONS, undefined, 'newest');
  const released = await releasedOf(ports, model);
  const isLeft = ({ version, pushedAtMs }: ModelVersion) =>
    version !== stable && pushedAtMs < beforeMs && !released.has(version) && !seen.versions.has(`${model}@${version}`);
  const orphans: Orphan[] = items
    .filter(isLeft)
    .map(({ version, pushedAtMs }) => ({ kind: 'version', model, version, pushedAtMs }));
  if (stable === undefined || seen.models.has(model)) return orphans;
  const newestMs = items[0]?.pushedAtMs ?? 0;
  if (newestMs < beforeMs) orphans.unshift({ kind: 'model', model, version: stable, pushedAtMs: newestMs });
  return orphans;
}

/** Versions that a release was for, the latest of them. */
async function releasedOf({ releases }: OrphanPorts, model: string): Promise<ReadonlySet<string>> {
  const { items } = await releases.list(model, MOST_RELEASES);
  return new Set(items.map(({ candidate }) => candidate));
}
