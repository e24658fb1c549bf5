import type { Platform } from '../../core/ports/platform.ts';
import type { ReleaseAudit } from '../../core/ports/releases.ts';
import type { Release } from '../../core/release/release.ts';
import { MINUTE_MS } from '../../core/units.ts';

/** Where a notice comes from. */
export type NoticeSource = { readonly deployment: string; readonly region: string };

/** An entry of EventBridge's PutEvents: a change of a release. May come again: release, epoch and `what` name the change. */
export type Notice = { readonly Source: string; readonly DetailType: string; readonly Detail: string };

/** PutEvents takes ten. */
const MOST_NOTICES = 10;
/** An execution starts within seconds of what opened a release: what is older was told of by another one. */
const NEW_MS = 2 * MINUTE_MS;
const PAGE = 100;

export type Untold = {
  /** Of which execution: whose changes it has told of so far. */
  readonly clock: { readonly release: string; readonly told: number };
  /** As it is now; undefined if none is open. */
  readonly release: Release | undefined;
  readonly source: NoticeSource;
  readonly nowMs: number;
};

/** Changes that are not told of yet, the oldest first, and how far that gets. First those of the release before, where a new one has been opened. */
export async function untold(
  { releases }: Pick<Platform, 'releases'>,
  { clock, release, source, nowMs }: Untold,
): Promise<{ readonly notices: readonly Notice[]; readonly release: string; readonly told: number }> {
  const { release: before, told } = clock;
  const now = release?.id ?? before;
  for (const id of new Set(before === '' ? [now] : [before, now])) {
    if (id === '') continue;
    const present = id === release?.id ? release : await releases.read(id);
    if (present === undefined || (id === before && present.epoch <= told)) continue;
    const all = await auditsOf(releases, id);
    const left = all.filter(({ epoch, atMs }) => (id === before ? epoch > told : nowMs - atMs <= NEW_MS));
    const some = wholeChanges(left);
    const last = some.at(-1);
    if (last !== undefined) {
      const notices = some.map((audit) => noticeOf(audit, present, source));
      return { notices, release: id, told: last.epoch };
    }
  }
  return { notices: [], release: now, told: release?.epoch ?? told };
}

/** As many as are sent at once, and of the last change all or nothing: what is told of is remembered by its epoch. */
function wholeChanges(left: readonly ReleaseAudit[]): readonly ReleaseAudit[] {
  const next = left[MOST_NOTICES];
  const some = left.slice(0, MOST_NOTICES);
  const whole = some.filter(({ epoch }) => epoch !== next?.epoch);
  return whole.length > 0 ? whole : some;
}

async function auditsOf(releases: Platform['releases'], id: string): Promise<readonly ReleaseAudit[]> {
  const audits: ReleaseAudit[] = [];
  let cursor: string | undefined;
  do {
    const { items, next } = await releases.listAudits(id, PAGE, cursor);
    audits.push(...items);
    cursor = next;
  } while (cursor !== undefined);
  return audits;
}

function noticeOf(audit: ReleaseAudit, { state, stable, candidate }: Release, source: NoticeSource): Notice {
  const { release, model, epoch, atMs, by, what, why } = audit;
  const at = new Date(atMs).toISOString();
  const detail = { ...source, model, release, epoch, at, by, what, why, state: state.kind, stable, candidate };
  return { Source: 'sluice', DetailType: 'Sluice Release Changed', Detail: JSON.stringify(detail) };
}
