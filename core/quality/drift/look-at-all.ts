import type { Platform } from '../../ports/platform.ts';
import type { VersionName } from '../../ports/telemetry.ts';
import { DAY_MS } from '../../units.ts';
import { type LookPorts, lookAtVersion } from './look.ts';
import { type TellNotices, tellUntold } from './tell.ts';

export type AllPorts = LookPorts & Pick<Platform, 'clock'>;

export type Run = {
  /** Begins no look after it. */
  readonly untilMs: number;
  readonly tell: TellNotices;
  /** Versions that are looked at: of more, those that are due for the longest; the others are first in the next run. Default 200. */
  readonly most?: number;
  readonly signal?: AbortSignal;
};

/** Versions that were called within it are looked at. */
const ACTIVE_MS = 2 * DAY_MS;
const MOST_VERSIONS = 200;

/** Looks at every version that is due. One that fails is logged and keeps no other from its look. Returns how many were looked at. */
export async function lookAtAll(
  ports: AllPorts,
  { untilMs, tell, most = MOST_VERSIONS, signal }: Run,
): Promise<number> {
  const { clock, log } = ports;
  let looked = 0;
  for (const { model, version } of await dueVersions(ports, clock.nowMs())) {
    if (looked === most || signal?.aborted === true || clock.nowMs() >= untilMs) break;
    try {
      const found = await lookAtVersion(ports, model, version, clock.nowMs());
      if (found !== undefined) await tellUntold(ports, found.state, tell);
      looked += 1;
    } catch (error) {
      log.error('the quality of a version could not be looked at', error, { model, version });
    }
  }
  await ports.qualityReports.purge(clock.nowMs());
  return looked;
}

/** Those that are due for the longest first; those that nobody has looked at yet before them. */
async function dueVersions({ telemetry, qualityReports }: AllPorts, nowMs: number): Promise<readonly VersionName[]> {
  const [active, summaries] = await Promise.all([
    telemetry.activeVersions(nowMs - ACTIVE_MS, nowMs),
    qualityReports.listSummaries(),
  ]);
  const dueAtMs = new Map(summaries.map((each) => [nameOf(each), each.dueAtMs]));
  const untold = summaries.filter((each) => each.dueAtMs === 0);
  const versions = new Map([...active, ...untold].map((each) => [nameOf(each), each]));
  return [...versions.values()]
    .map(({ model, version }) => ({ model, version, at: dueAtMs.get(nameOf({ model, version })) ?? -1 }))
    .filter(({ at }) => at <= nowMs)
    .sort((a, b) => a.at - b.at || (nameOf(a) < nameOf(b) ? -1 : 1));
}

function nameOf({ model, version }: VersionName): string {
  return `${model}@${version}`;
}
