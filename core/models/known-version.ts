import { createHash } from 'node:crypto';
import { Failure } from '../failure.ts';
import type { Platform } from '../ports/platform.ts';
import type { Manifest } from './manifest.ts';
import type { ModelVersion } from './version.ts';

const PAGE = 100;

/** What a push consists of, by digest. */
export type PushedDigests = {
  readonly manifest: Manifest;
  readonly modelDigest: string;
  readonly goldenDigest?: string | undefined;
  readonly tokenizerDigest?: string | undefined;
  readonly referenceDigest?: string | undefined;
};

/** SHA-256, hex: the same for the same files and the same manifest, however it was written. */
export function digestOf(pushed: PushedDigests): string {
  const { manifest, modelDigest, goldenDigest, tokenizerDigest, referenceDigest } = pushed;
  const parts = [canonical(manifest), modelDigest, goldenDigest ?? '-', tokenizerDigest ?? '-'];
  // Versions that were pushed before there were references keep their digests.
  if (referenceDigest !== undefined) parts.push(referenceDigest);
  return createHash('sha256').update(parts.join('\n')).digest('hex');
}

/** The version that has this digest. */
export async function findVersion(
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

/** A model that has no stable version gets this one; of concurrent first pushes one wins. */
export async function serveFirst(
  ports: Pick<Platform, 'registry'>,
  { model, version }: Pick<ModelVersion, 'model' | 'version'>,
): Promise<void> {
  const route = await ports.registry.readRoute(model);
  if (route?.stable !== undefined) return;
  try {
    await ports.registry.writeRoute({ model, stable: version, epoch: (route?.epoch ?? 0) + 1 });
  } catch (error) {
    const lost = error instanceof Failure && (error.code === 'already-exists' || error.code === 'state-conflict');
    if (!lost) throw error;
  }
}

/** JSON with keys in order, so that one manifest has one digest however it was written. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_, nested: unknown) =>
    nested !== null && typeof nested === 'object' && !Array.isArray(nested)
      ? Object.fromEntries(Object.entries(nested).sort(([a], [b]) => (a < b ? -1 : 1)))
      : nested,
  );
}
