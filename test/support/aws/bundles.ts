import { createHash } from 'node:crypto';
import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { bundleFunctions, type DeployedFunction, FUNCTIONS } from '../../../lib/bundle.ts';

const ROOT = join(import.meta.dirname, '..', '..', '..');
const CACHE = join(ROOT, '.cache', 'bundles');
/** What bundles are made of. */
const STALE_MS = 120_000;
const SOURCES = ['core', 'adapters', 'lambdas', 'gpu-worker', 'lib/bundle.ts', 'package-lock.json'];

/** The folder of each function, bundled as it is deployed, but for this machine; kept until a source changes. */
export async function bundledFunctions(): Promise<Readonly<Record<DeployedFunction, string>>> {
  const folder = join(CACHE, await fingerprint());
  await mkdir(CACHE, { recursive: true });
  while (!(await exists(folder))) {
    // Of several test files that start together one makes them.
    const isFirst = await mkdir(`${folder}.lock`).then(
      () => true,
      () => false,
    );
    if (isFirst) await make(folder).finally(() => rm(`${folder}.lock`, { recursive: true }));
    else await waitFor(`${folder}.lock`);
  }
  return Object.fromEntries(FUNCTIONS.map((name) => [name, join(folder, name)])) as Record<DeployedFunction, string>;
}

/** Under another name first: a bundling that is cut off leaves nothing that looks whole. */
async function make(folder: string): Promise<void> {
  const old = (await readdir(CACHE)).filter((name) => !`${folder}.lock`.endsWith(name));
  await bundleFunctions(`${folder}.draft`, { architecture: 'x64' });
  await rename(`${folder}.draft`, folder);
  for (const name of old) await rm(join(CACHE, name), { recursive: true, force: true });
}

/** Until it is gone, or too old to be anybody's any more. */
async function waitFor(lock: string): Promise<void> {
  while (await exists(lock)) {
    const { mtimeMs } = await stat(lock).catch(() => ({ mtimeMs: 0 }));
    if (Date.now() - mtimeMs > STALE_MS) await rm(lock, { recursive: true, force: true });
    await delay(100);
  }
}

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined;
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
