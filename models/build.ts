import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { SAMPLE_MODELS, type SampleName, sampleModel } from './catalogue.ts';

/** Written last into a built folder: the recipe that it was built by. */
const RECIPE_FILE = 'recipe';

/**
 * The folder of a sample model, to be pushed as it is: built into `cacheFolder` unless the same recipe built it there
 * before. A folder appears whole or not at all, so concurrent callers are harmless. `onProgress` gets lines for people.
 */
export async function ensureSampleModel(
  name: SampleName,
  cacheFolder: string,
  onProgress: (line: string) => void = () => {},
): Promise<string> {
  const { source } = sampleModel(name);
  if (source.kind === 'committed') return source.folder;
  const folder = join(cacheFolder, name);
  if (isBuilt(folder, source.recipe)) return folder;
  onProgress(`building ${name} …`);
  const startMs = performance.now();
  mkdirSync(cacheFolder, { recursive: true });
  const draft = mkdtempSync(join(cacheFolder, `.${name}-`));
  try {
    await source.build(draft);
    writeFileSync(join(draft, RECIPE_FILE), `${source.recipe}\n`);
    moveIn(draft, folder, source.recipe);
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
  onProgress(`built ${name} in ${((performance.now() - startMs) / 1000).toFixed(1)} s`);
  return folder;
}

function isBuilt(folder: string, recipe: number): boolean {
  const file = join(folder, RECIPE_FILE);
  return existsSync(file) && readFileSync(file, 'utf8').trim() === String(recipe);
}

/** A rename onto a folder with files in it fails: then another process was first, with the same bytes, and its folder stays. */
function moveIn(draft: string, folder: string, recipe: number): void {
  if (!isBuilt(folder, recipe)) rmSync(folder, { recursive: true, force: true });
  try {
    renameSync(draft, folder);
  } catch (cause) {
    if (!isBuilt(folder, recipe)) throw new Error(`could not move the built model to ${folder}`, { cause });
  }
}

async function main(): Promise<void> {
  const { positionals } = parseArgs({ allowPositionals: true });
  const cacheFolder = resolve(positionals[0] ?? join(import.meta.dirname, '..', '.cache', 'models'));
  for (const sample of SAMPLE_MODELS) {
    const folder = await ensureSampleModel(sample.name, cacheFolder, (line) => console.error(line));
    console.log(`${sample.name}\t${folder}`);
  }
}

if (import.meta.main) await main();
