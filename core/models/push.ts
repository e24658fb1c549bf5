import { createHash } from 'node:crypto';
import { Failure } from '../failure.ts';
import type { Platform } from '../ports/platform.ts';
import { checkAgainstSignature, parseManifest } from './check-manifest.ts';
import { parseGolden } from './parse-golden.ts';
import type { ModelRoute, ModelVersion } from './version.ts';

const PAGE = 100;

export type Push = {
  readonly manifest: unknown;
  readonly modelBytes: AsyncIterable<Uint8Array>;
  readonly golden: AsyncIterable<Uint8Array> | undefined;
  /** Principal id. */
  readonly pushedBy: string;
};

/** `added` is false if the same was pushed before. */
export type Pushed = { readonly version: ModelVersion; readonly added: boolean };

type PushPorts = Pick<Platform, 'artifacts' | 'registry' | 'modelChecker' | 'clock' | 'log'>;

/**
 * Adds a version, or returns the one that has the same manifest, model and golden file already. Nothing is added unless
 * the manifest fits the graph, the model loads in a process that is thrown away and answers its golden pairs. The first
 * version of a model becomes its stable one. Throws `manifest-invalid` (every problem at once), `golden-invalid`,
 * `golden-mismatch`, `model-invalid`, `validation-timeout`.
 */
export async function pushVersion(ports: PushPorts, push: Push): Promise<Pushed> {
  const manifest = parseManifest(push.manifest);
  const golden = await parseGolden(push.golden);
  const { digest: modelDigest, sizeBytes } = await ports.artifacts.store(push.modelBytes);
  if (sizeBytes === 0) throw new Failure('model-invalid', { detail: 'the model file is empty' });
  const digest = sha256([canonical(manifest), modelDigest, golden.sha256].join('\n'));
  const pushedBefore = await findVersion(ports, manifest.name, digest);
  if (pushedBefore !== undefined) {
    await serveFirst(ports, pushedBefore);
    return { version: pushedBefore, added: false };
  }
  const path = await ports.artifacts.fetch(modelDigest);
  const { signature, validation } = await ports.modelChecker.check(path, manifest, golden.pairs);
  checkAgainstSignature(manifest, signature);
  const record = {
    model: manifest.name,
    modelDigest,
    modelBytes: sizeBytes,
    digest,
    manifest,
    signature,
    validation,
    pushedBy: push.pushedBy,
    pushedAtMs: Math.floor(ports.clock.nowMs()),
  };
  const { version, added } = await ports.registry.addVersion(record);
  const known = added ? undefined : await ports.registry.readVersion(manifest.name, version);
  const pushed = known ?? { ...record, version };
  await serveFirst(ports, pushed);
  ports.log.info('version pushed', { model: pushed.model, version, added, modelBytes: sizeBytes });
  return { version: pushed, added };
}

/**
 * Makes a version the one that answers who names none. `model-unknown`, `version-unknown`; `state-conflict` if `epoch` is
 * given and is not the stored one, or if somebody else changed it meanwhile.
 */
export async function setStable(
  ports: Pick<Platform, 'registry' | 'log'>,
  model: string,
  version: string,
  epoch?: number,
): Promise<ModelRoute> {
  const route = await ports.registry.readRoute(model);
  if (route === undefined) throw new Failure('model-unknown', { model });
  if (epoch !== undefined && epoch !== route.epoch) throw new Failure('state-conflict', { epoch: route.epoch });
  if (route.stable === version) return route;
  if ((await ports.registry.readVersion(model, version)) === undefined) {
    throw new Failure('version-unknown', { model, version });
  }
  const changed = { model, stable: version, epoch: route.epoch + 1 };
  await ports.registry.writeRoute(changed);
  ports.log.info('stable version changed', { model, version, before: route.stable });
  return changed;
}

/** A model that has no stable version gets this one; of concurrent first pushes one wins. */
async function serveFirst(ports: Pick<Platform, 'registry'>, { model, version }: ModelVersion): Promise<void> {
  const route = await ports.registry.readRoute(model);
  if (route?.stable !== undefined) return;
  try {
    await ports.registry.writeRoute({ model, stable: version, epoch: (route?.epoch ?? 0) + 1 });
  } catch (error) {
    const lost = error instanceof Failure && (error.code === 'already-exists' || error.code === 'state-conflict');
    if (!lost) throw error;
  }
}

async function findVersion(
  ports: Pick<Platform, 'registry'>,
  model: string,
  digest: string,
): Promise<ModelVersion | undefined> {
  let cursor: string | undefined;
  do {
    const page = await ports.registry.listVersions(model, PAGE, cursor);
    const found = page.items.find((version) => version.digest === digest);
    if (found !== undefined) return found;
    cursor = page.next;
  } while (cursor !== undefined);
  return undefined;
}

/** JSON with keys in order, so that one manifest has one digest however it was written. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_, nested: unknown) =>
    nested !== null && typeof nested === 'object' && !Array.isArray(nested)
      ? Object.fromEntries(Object.entries(nested).sort(([a], [b]) => (a < b ? -1 : 1)))
      : nested,
  );
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
