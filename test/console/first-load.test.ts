import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { KIB } from '../../core/units.ts';
import { ConsoleBuild } from '../../embedded/console/console-build.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const DIST = join(ROOT, 'console', 'dist');
const MOST_BYTES = 350 * KIB;

type Manifest = Readonly<Record<string, { file: string; imports?: string[]; css?: string[] }>>;

/** Files that a chunk loads, itself among them; not those that it loads later. */
function filesOf(manifest: Manifest, name: string, found = new Set<string>()): ReadonlySet<string> {
  const chunk = manifest[name];
  if (chunk === undefined) throw new Error(`${name} is not in the console`);
  if (found.has(chunk.file)) return found;
  for (const file of [chunk.file, ...(chunk.css ?? [])]) found.add(file);
  for (const each of chunk.imports ?? []) filesOf(manifest, each, found);
  return found;
}

test('the page that the console opens with loads at most 350 KiB of scripts and styles, compressed', async () => {
  const build = new ConsoleBuild(ROOT, () => undefined);
  await build.prepare();
  expect(build.state.kind).toBe('ready');
  const manifest = JSON.parse(await readFile(join(DIST, '.vite', 'manifest.json'), 'utf8')) as Manifest;
  const files = [...filesOf(manifest, 'index.html')];
  for (const file of filesOf(manifest, 'src/pages/overview/overview-page.tsx'))
    if (!files.includes(file)) files.push(file);
  const sizes = await Promise.all(files.map(async (file) => gzipSync(await readFile(join(DIST, file))).length));
  const bytes = sizes.reduce((sum, size) => sum + size, 0);
  console.log(`first load of the console: ${(bytes / KIB).toFixed(0)} KiB in ${files.length} files`);
  expect(bytes).toBeLessThanOrEqual(MOST_BYTES);
});
