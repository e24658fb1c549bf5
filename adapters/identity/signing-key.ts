import { randomUUID } from 'node:crypto';
import { link, mkdir, open, readFile, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { type CryptoKey, calculateJwkThumbprint, exportJWK, generateKeyPair, importJWK, type JWK } from 'jose';

/** A private ES256 key of this region and the public half that verifies it. */
export type SigningKey = { readonly kid: string; readonly privateKey: CryptoKey; readonly publicJwk: JWK };

/** A key that is fetched when it is first needed; the source keeps it, and tries again after a failure. */
export type SigningKeySource = () => Promise<SigningKey>;

/**
 * The ES256 key kept at `path`, made on first use and readable by its owner alone (0600). Concurrent first users get the
 * same key. Throws if the file is damaged: a new key would end every token that was signed with the old one.
 */
export async function loadSigningKey(path: string): Promise<SigningKey> {
  const text = (await readIfThere(path)) ?? (await create(path));
  try {
    return await parseSigningKey(text);
  } catch (cause) {
    throw new Error(`the signing key at ${path} is damaged; remove it to make a new one`, { cause });
  }
}

/** A new key, as text to be kept in secret. */
export async function newSigningKey(): Promise<string> {
  const { privateKey } = await generateKeyPair('ES256', { extractable: true });
  return JSON.stringify(await exportJWK(privateKey));
}

/** The key in a text that `newSigningKey` made; throws without quoting it. */
export async function parseSigningKey(text: string): Promise<SigningKey> {
  try {
    return await toSigningKey(JSON.parse(text) as JWK);
  } catch {
    throw new Error('not a private ES256 key in JSON');
  }
}

async function toSigningKey(jwk: JWK): Promise<SigningKey> {
  const privateKey = await importJWK({ ...jwk, alg: 'ES256' });
  if (jwk.d === undefined || privateKey instanceof Uint8Array) throw new Error('not a private key');
  const { d: _private, ...publicJwk } = jwk;
  const kid = await calculateJwkThumbprint(publicJwk);
  return { kid, privateKey, publicJwk: { ...publicJwk, kid, alg: 'ES256', use: 'sig' } };
}

/** Written whole under another name, then linked: a crash leaves no half key, and of two creators one wins. */
async function create(path: string): Promise<string> {
  const text = await newSigningKey();
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const draft = `${path}.${randomUUID()}`;
  const file = await open(draft, 'wx', 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
    await link(draft, path);
  } catch (error) {
    if (!hasCode(error, 'EEXIST')) throw error;
  } finally {
    await file.close();
    await unlink(draft);
  }
  return readFile(path, 'utf8');
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined;
    throw error;
  }
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
