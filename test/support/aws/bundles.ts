import { createHash } from 'node:crypto';
import { readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { bundleFunctions, type DeployedFunction, FUNCTIONS } from '../../../lib/bundle.ts';

const ROOT = join(import.meta.dirname, '..', '..', '..');
const CACHE = join(ROOT, '.cache', 'bundles');
/** What bundles are made of. */
const SOURCES = ['core', 'adapters', 'lambdas', 'gpu-worker', 'lib/bundle.ts', 'package-lock.json'];

/** The folder of each function, bundled as it is deployed, but for this machine; kept until a source changes. */
export async function bundledFunctions(): Promise<Readonly<Record<DeployedFunction, string>>> {
  const folder = join(CACHE, await fingerprint());
  if ((await stat(folder).catch(() => undefined)) === undefined) await make(folder);
  return Object.fromEntries(FUNCTIONS.map((name) => [name, join(folder, name)])) as Record<DeployedFunction, string>;
}

/** Under another name first: who comes meanwhile finds all of it or nothing. */
async function make(folder: string): Promise<void> {
  const draft = `${folder}.${process.pid}`;
  const old = await readdir(CACHE).catch(() => []);
  await bundleFunctions(draft, { architecture: 'x64' });
  // Somebody else was faster with the same.
  await rename(draft, folder).catch(() => rm(draft, { recursive: true, force: true }));
  for (const name of old) await rm(join(CACHE, name), { recursive: true, force: true });
}

async function fingerprint(): Promise<string> {
  const hash = createHash('sha256');
  for (const source of SOURCES) {
    const isFile = source.includes('.');
    const names = isFile ? [''] : (await readdir(join(ROOT, source), { recursive: true })).sort();
    for (const name of names) {
      const path = join(ROOT, source, name);
      const { mtimeMs, size, isDirectory } = await stat(path).then((s) => ({ ...s, isDirectory: s.isDirectory() }));
      if (!isDirectory) hash.update(`${path} ${mtimeMs} ${size}\n`);
    }
  }
  return hash.digest('hex').slice(0, 16);
}
