import { Failure } from '../failure.ts';
import type { Platform } from '../ports/platform.ts';
import type { Page } from '../ports/registry.ts';
import type { ReleaseAudit } from '../ports/releases.ts';
import { advance } from './advance.ts';
import { isActive, type Release } from './release.ts';
import type { Verb } from './verbs.ts';

type VerbPorts = Pick<Platform, 'registry' | 'releases' | 'clock' | 'log'>;

/** `id` names the request; `version` is for an undo, the stable one of the release if undefined; `attempt` for a retry, the last one. */
export type VerbRequest = {
  readonly id: string;
  readonly verb: Verb['verb'];
  readonly by: string;
  readonly why: string;
  readonly version?: string | undefined;
  readonly attempt?: number | undefined;
};

/** `applied` is false where the release was so already: it was asked for before, or what it would have brought about is. */
export type Given = { readonly release: Release; readonly applied: boolean };

/** Ticks, verdicts and people of one release come a few a second at most. */
const MOST_TRIES = 20;
const TRY_AGAIN_MS = 5;

/** `release-unknown`. */
export async function readRelease({ releases }: Pick<Platform, 'releases'>, id: string): Promise<Release> {
  const release = await releases.read(id);
  if (release === undefined) throw new Failure('release-unknown', { field: 'release' });
  return release;
}

/** A model's, the newest first. `model-unknown`. */
export async function listReleases(
  { registry, releases }: Pick<Platform, 'registry' | 'releases'>,
  model: string,
  limit: number,
  cursor?: string,
): Promise<Page<Release>> {
  if ((await registry.readRoute(model)) === undefined) throw new Failure('model-unknown', { field: 'model' });
  return releases.list(model, limit, cursor);
}

/** Who did what, when and why, in order. `release-unknown`. */
export async function listReleaseAudits(
  ports: Pick<Platform, 'releases'>,
  id: string,
  limit: number,
  cursor?: string,
): Promise<Page<ReleaseAudit>> {
  await readRelease(ports, id);
  return ports.releases.listAudits(id, limit, cursor);
}

/**
 * Applies a person's verb. Sent again with the same id it changes nothing. `release-unknown`, `version-unknown` of an undo; `release-verb-refused` where the state
 * does not allow it; `state-conflict` where a later release of the model, or a stable version chosen by hand since, decides.
 */
export async function giveVerb(ports: VerbPorts, id: string, request: VerbRequest): Promise<Given> {
  const read = await readRelease(ports, id);
  const verb = toVerb(request, read);
  await expectVersion(ports, read, verb);
  let release = read;
  for (let tries = 1; ; tries += 1) {
    if (!release.verbs.includes(verb.id)) await expectDecisive(ports, release);
    const next = advance(release, verb, ports.clock.nowMs());
    if (next.kind === 'unchanged') {
      if (release.verbs.includes(verb.id) || isSoAlready(release, verb)) return { release, applied: false };
      throw new Failure('release-verb-refused', { verb: verb.verb, state: release.state.kind, detail: next.why });
    }
    try {
      await ports.releases.write(next.release, next.audits);
      const { model } = release;
      ports.log.info('release verb', { model, release: id, verb: verb.verb, principal: request.by });
      return { release: next.release, applied: true };
    } catch (error) {
      const isConflict = error instanceof Failure && error.code === 'state-conflict';
      if (!isConflict || tries === MOST_TRIES) throw error;
    }
    await ports.clock.sleep(TRY_AGAIN_MS);
    release = await readRelease(ports, id);
  }
}

/** Ids are each person's own, and of one verb: what two people send is never taken for one request. */
function toVerb({ id, verb, by, why, version, attempt }: VerbRequest, release: Release): Verb {
  const said = { kind: 'verb', id: `${verb} ${by} ${id}`, by, why } as const;
  if (verb === 'retry') return { ...said, verb, attempt: attempt ?? release.attempt };
  if (verb === 'undo') return { ...said, verb, to: version ?? release.stable };
  return { ...said, verb };
}

async function expectVersion({ registry }: Pick<Platform, 'registry'>, { model }: Release, verb: Verb): Promise<void> {
  if (verb.verb !== 'undo') return;
  if ((await registry.readVersion(model, verb.to)) === undefined)
    throw new Failure('version-unknown', { field: 'version', model });
}

/** What has ended decides for its model only until somebody else does. */
async function expectDecisive({ registry, releases }: VerbPorts, release: Release): Promise<void> {
  if (isActive(release)) return;
  const { id, model, stable, candidate, state } = release;
  const latest = await releases.readLatest(model);
  if (latest !== undefined && latest.id !== id)
    throw new Failure('state-conflict', { release: latest.id, detail: 'a later release decides for this model' });
  const route = await registry.readRoute(model);
  const own = [stable, candidate, ...(state.kind === 'rolled-back' ? [state.to] : [])];
  if (route?.stable === undefined || own.includes(route.stable)) return;
  const detail = `version ${route.stable}, which is none of this release, was made stable since`;
  throw new Failure('state-conflict', { detail });
}

/** What the verb is for is the case, whoever brought it about. */
function isSoAlready({ state, stable, candidate }: Release, verb: Verb): boolean {
  switch (verb.verb) {
    case 'abort':
      return state.kind === 'rolled-back' || state.kind === 'undoing';
    case 'pause':
      return state.kind === 'paused';
    case 'approve':
      return state.kind === 'gated' && state.approvals.includes(verb.by);
    case 'undo':
      if (state.kind === 'rolled-back' || state.kind === 'undoing') return state.to === verb.to;
      return verb.to === (state.kind === 'promoted' ? candidate : stable) && state.kind === 'promoted';
    default:
      return false;
  }
}
