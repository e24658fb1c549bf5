import { Failure } from '../../failure.ts';
import type { Tensor } from '../../inference/tensor.ts';
import type { Platform } from '../../ports/platform.ts';
import { readTenant } from '../../tenancy/manage-tenants.ts';
import { parseGolden } from '../parse-golden.ts';
import type { ModelVersion } from '../version.ts';

export type ReplayInput = { readonly id: string; readonly inputs: readonly Tensor[] };

/** Up to `limit` inputs of the golden pairs of a version, in order, as callers send them. `request-invalid` if it has none. */
export async function goldenInputs(
  { artifacts }: Pick<Platform, 'artifacts'>,
  { version, goldenDigest }: ModelVersion,
  limit: number,
): Promise<ReplayInput[]> {
  if (goldenDigest === undefined) {
    const detail = `version ${version} was pushed without golden pairs: replay captured predictions, or push it with some`;
    throw new Failure('request-invalid', { field: 'source', detail });
  }
  const { pairs } = await parseGolden(artifacts.open(goldenDigest));
  return pairs.slice(0, limit).map(({ inputs }, at) => ({ id: `pair ${at + 1}`, inputs }));
}

type CapturePorts = Pick<Platform, 'captures' | 'registry' | 'clock'>;

/**
 * Inputs of the newest `limit` captured predictions of a model, of all tenants or of one, as the graph of `version` takes them:
 * those that were tokenized otherwise are left out, and those whose tenant consents no longer.
 */
export async function capturedInputs(
  ports: CapturePorts,
  version: ModelVersion,
  limit: number,
  tenant: string | undefined,
): Promise<ReplayInput[]> {
  if (tenant !== undefined) await readTenant(ports, tenant);
  const captures = await ports.captures.list(version.model, limit, ports.clock.nowMs(), tenant);
  const consents = await onceEach(
    captures.map((capture) => capture.tenant),
    async (id) => {
      return (await ports.registry.readTenant(id))?.captureConsent === true;
    },
  );
  const fits = await onceEach(
    captures.map((capture) => capture.version),
    async (id) => {
      const captured = await ports.registry.readVersion(version.model, id);
      return captured !== undefined && captured.tokenizerDigest === version.tokenizerDigest;
    },
  );
  return captures.filter((capture) => consents.get(capture.tenant) && fits.get(capture.version));
}

async function onceEach(ids: readonly string[], ask: (id: string) => Promise<boolean>): Promise<Map<string, boolean>> {
  const answers = new Map<string, boolean>();
  for (const id of new Set(ids)) answers.set(id, await ask(id));
  return answers;
}
