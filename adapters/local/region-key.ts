import { createSecretKey, type KeyObject, randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { OnBoundary } from './boundary.ts';
import { startFile } from './files.ts';

const FILE = 'region.key';
const KEY_BYTES = 32;

/**
 * The key that wraps the tenants' data keys: 32 random bytes in hex in `region.key`, mode 0600, made on the first start.
 * Throws if the file is missing though `isNeeded`, as a new one could open nothing, or if it holds anything else.
 */
export async function loadRegionKey(folder: string, isNeeded: boolean, onBoundary?: OnBoundary): Promise<KeyObject> {
  const path = join(folder, FILE);
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' && !isNeeded) return undefined;
    throw new Error(`cannot read ${path}, without which stored payloads stay sealed`, { cause: error });
  });
  if (text !== undefined) {
    if (!/^[0-9a-f]{64}\n$/.test(text)) throw new Error(`${path} is not a region key`);
    return createSecretKey(Buffer.from(text.trim(), 'hex'));
  }
  const secret = randomBytes(KEY_BYTES);
  const file = await startFile(folder, 'key', onBoundary);
  try {
    await file.write(Buffer.from(`${secret.toString('hex')}\n`));
    await file.keep(FILE);
  } catch (error) {
    await file.discard();
    throw error;
  }
  return createSecretKey(secret);
}
