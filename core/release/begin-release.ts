import { createHash } from 'node:crypto';
import { Failure } from '../failure.ts';
import type { Replays } from '../models/replay/replay.ts';
import type { Platform } from '../ports/platform.ts';
import { expectNoRelease, planFor, readContenders } from './check-start.ts';
import { compareOnGolden, type GoldenComparison } from './compare-golden.ts';
import type { Release } from './release.ts';
import { newReleaseId } from './release-id.ts';
import { startRelease } from './start.ts';

export type ReleaseRequest = {
  readonly model: string;
  /** The candidate. */
  readonly version: string;
  /** As the caller sent it; undefined: the manifest's, or the defaults. */
  readonly plan: unknown;
  readonly why: string;
  /** Principal id. */
  readonly by: string;
  /** Names the request: sent again, it finds the release that it has started. */
  readonly key: string | undefined;
  /** Aborts when the caller has gone away. */
  readonly signal: AbortSignal | undefined;
};

export type BegunRelease = { readonly release: Release; readonly golden: GoldenComparison };

const COMPARED = 'compared on golden pairs';
const NOT_COMPARED = 'not compared on golden pairs';
const NOTHING_RUNS: GoldenComparison = {
  report: undefined,
  sentence: 'nothing runs where it was started; the candidate has answered its own pairs when it was validated',
};

/**
 * Checks what can be checked before traffic, compares both versions on golden data and starts the release: durable when it resolves, with no
 * traffic yet. `replays`: undefined where no model can be run; then nothing is compared, and the audit says so. Throws what `readContenders`, `planFor` and `compareOnGolden` do; `idempotency-key-reused` where the key belongs
 * to a release of another version.
 */
export async function beginRelease(
  ports: Pick<Platform, 'registry' | 'releases' | 'clock' | 'log'>,
  replays: Replays | undefined,
  request: ReleaseRequest,
): Promise<BegunRelease> {
  const { model, version, by, why, key, signal } = request;
  const id = key === undefined ? newReleaseId() : idOfKey(by, model, key);
  const before = key === undefined ? undefined : await ports.releases.read(id);
  if (before !== undefined) return begunBefore(ports, before, version);
  const contenders = await readContenders(ports, model, version);
  const plan = await planFor(ports, request.plan, contenders.candidate);
  const golden = replays === undefined ? NOTHING_RUNS : await compareOnGolden(replays, contenders, { by, signal });
  const spec = { id, model, stable: contenders.stable.version, candidate: version, plan, by, why };
  const { release, audits } = startRelease(spec, ports.clock.nowMs());
  const compared = {
    ...audits[0]!,
    by: 'sluice',
    what: replays === undefined ? NOT_COMPARED : COMPARED,
    why: golden.sentence,
  };
  await start(ports, release, [compared, ...audits]);
  ports.log.info('release started', { model, release: id, version, stable: release.stable, principal: by });
  return { release, golden };
}

async function start(
  ports: Pick<Platform, 'releases'>,
  release: Release,
  audits: Parameters<Platform['releases']['start']>[1],
): Promise<void> {
  try {
    await ports.releases.start(release, audits);
  } catch (error) {
    // Another one was faster: say which.
    if (error instanceof Failure && error.code === 'state-conflict') await expectNoRelease(ports, release.model);
    throw error;
  }
}

async function begunBefore(
  { releases }: Pick<Platform, 'releases'>,
  release: Release,
  version: string,
): Promise<BegunRelease> {
  if (release.candidate !== version) throw new Failure('idempotency-key-reused', { release: release.id });
  const { items } = await releases.listAudits(release.id, 1);
  const sentence = items.find(({ what }) => what === COMPARED || what === NOT_COMPARED)?.why ?? '';
  return { release, golden: { report: undefined, sentence } };
}

function idOfKey(by: string, model: string, key: string): string {
  return `rel_${createHash('sha256')
    .update(JSON.stringify([by, model, key]))
    .digest('hex')
    .slice(0, 32)}`;
}
