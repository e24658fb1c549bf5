import { Failure } from '../failure.ts';
import type { Platform } from '../ports/platform.ts';
import { hashSecret, newApiKey, parseApiKey } from './api-key.ts';

type KeyPorts = Pick<Platform, 'registry' | 'clock'>;

/**
 * The key of an admin by which a new region is first used. `keep` puts a text into its place, or returns the one that is there:
 * the key is in force once this resolves, whoever else does the same at once, and a crash leaves nothing that the next call does
 * not complete. One that was revoked since stays revoked. Throws if what is kept is no such key of this region.
 */
export async function ensureOperatorKey(
  { registry, clock }: KeyPorts,
  region: string,
  keep: (make: () => string) => Promise<string>,
): Promise<void> {
  const key = parseApiKey(await keep(() => newApiKey(region, undefined).text));
  if (key === undefined || key.region !== region || key.tenant !== undefined) {
    throw new Error('what is kept as the first key is no key of an operator of this region');
  }
  if ((await registry.readKey(key.keyId)) !== undefined) return;
  const record = {
    id: key.keyId,
    secretSha256: hashSecret(key.secret),
    tenant: undefined,
    role: 'admin',
    models: undefined,
    label: 'first',
    createdAtMs: Math.floor(clock.nowMs()),
    expiresAtMs: undefined,
    revokedAtMs: undefined,
  } as const;
  await registry.addKey(record).catch((error: unknown) => {
    if (!(error instanceof Failure) || error.code !== 'already-exists') throw error;
  });
}
