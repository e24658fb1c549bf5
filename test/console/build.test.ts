import { mkdir, mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ConsoleBuild } from '../../embedded/console/console-build.ts';

/** Stands in for Vite: writes a console into the folder it is told, or fails. */
const BUILDER = `
const { mkdirSync, writeFileSync } = require('node:fs');
const folder = process.argv[process.argv.indexOf('--outDir') + 1];
mkdirSync(folder);
writeFileSync(folder + '/index.html', 'built for ' + process.env.NODE_ENV);
mkdirSync(folder + '/.vite');
writeFileSync(folder + '/.vite/manifest.json', '{}');
`;

describe('the build of the console', () => {
  let root: string;
  let said: string[];

  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'sluice-build-'));
    said = [];
    for (const folder of ['console/src', 'clients/typescript', 'core'])
      await mkdir(join(root, folder), { recursive: true });
    for (const file of ['core/units.ts', 'package-lock.json', 'console/src/main.tsx'])
      await writeFile(join(root, file), '');
  });
  afterEach(() => rm(root, { recursive: true }));

  const vite = async (source: string) => {
    await mkdir(join(root, 'node_modules/vite/bin'), { recursive: true });
    await writeFile(join(root, 'node_modules/vite/bin/vite.js'), source);
  };
  const prepared = async () => {
    const build = new ConsoleBuild(root, (line) => said.push(line));
    await build.prepare();
    return build.state;
  };
  const textOf = (state: ConsoleBuild['state']) =>
    state.kind === 'ready' ? String(state.files.get('index.html')?.bytes) : state;

  test('is made once, for production whatever runs it, and again when a source is newer', async () => {
    await vite(BUILDER);
    const state = await prepared();
    expect(textOf(state)).toBe('built for production');
    // What only builders read is not served.
    expect(state.kind === 'ready' && [...state.files.keys()]).toEqual(['index.html']);
    expect(said).toHaveLength(2);
    await prepared();
    expect(said).toHaveLength(2);
    await utimes(join(root, 'console/src/main.tsx'), new Date(), new Date(Date.now() + 10_000));
    await prepared();
    expect(said).toHaveLength(4);
    expect(await readdir(join(root, 'console'))).toEqual(['dist', 'src']);
  });

  test('is taken as it is where there is nothing to build it with', async () => {
    await mkdir(join(root, 'console/dist'));
    await writeFile(join(root, 'console/dist/index.html'), 'shipped');
    await utimes(join(root, 'console/dist/index.html'), new Date(0), new Date(0));
    expect(textOf(await prepared())).toBe('shipped');
    expect(said).toEqual([]);
  });

  test('says why it failed, and leaves the console that there is', async () => {
    expect(await prepared()).toMatchObject({ kind: 'failed', why: 'vite is not installed; run npm install' });
    await vite("console.error('no such module'); process.exit(1);");
    expect(await prepared()).toMatchObject({ kind: 'failed', why: 'no such module' });
    expect(await readdir(join(root, 'console'))).toEqual(['src']);
  });

  test('by several processes at once is whole for each of them', async () => {
    await vite(BUILDER);
    const states = await Promise.all([prepared(), prepared(), prepared()]);
    expect(states.map(textOf)).toEqual(['built for production', 'built for production', 'built for production']);
  });

  test('ends when the platform is stopped', async () => {
    await vite('setInterval(() => undefined, 1000);');
    const build = new ConsoleBuild(root, (line) => said.push(line));
    const prepare = build.prepare();
    await expect.poll(() => said).toEqual(['building the console']);
    await build.stop();
    await prepare;
    expect(build.state.kind).toBe('failed');
    expect(said).toEqual(['building the console']);
  });
});
