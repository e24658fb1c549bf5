import { existsSync, mkdtempSync, readdirSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { type Bundles, bundleFunctions, bundleWorker, FUNCTIONS } from '../../lib/bundle.ts';

const MODEL_FUNCTIONS = ['replay', 'validate'];
/** Of what runs no model: it has no room for onnxruntime, and nothing to do with storage on one machine. */
const FORBIDDEN = [/onnxruntime/, /^adapters\/onnx\//, /^gpu-worker\//, /^adapters\/local\//, /^embedded\//, /^test\//];

// A bundling takes three seconds, and ten times as long beside other tests.
vi.setConfig({ hookTimeout: 120_000, testTimeout: 120_000 });

const root = mkdtempSync(join(tmpdir(), 'sluice-test-'));
let bundles: Bundles;
beforeAll(async () => {
  bundles = await bundleFunctions(join(root, 'functions'));
});
afterAll(() => rm(root, { recursive: true, force: true }));

function inputsOf(name: string, file = 'index.mjs'): string[] {
  const found = Object.entries(bundles.metafile.outputs).find(([path]) => path.endsWith(`/${name}/${file}`));
  return Object.keys(found![1].inputs);
}

test('every function has a folder of its own with nothing in it but what is deployed', () => {
  for (const name of FUNCTIONS) {
    const files = readdirSync(bundles.folders[name]).sort();
    expect(files, name).toEqual(
      MODEL_FUNCTIONS.includes(name) ? ['index.mjs', 'node_modules', 'runner.mjs'] : ['index.mjs'],
    );
  }
});

test('what stands in the way of a prediction starts from at most 1.5 MB', async () => {
  for (const name of ['infer', 'predictions', 'catalogue', 'control'] as const) {
    const bytes = await readFile(join(bundles.folders[name], 'index.mjs'));
    expect(bytes.length, name).toBeLessThanOrEqual(1.5e6);
  }
});

test('what runs no model has nothing of onnxruntime, of a worker or of one machine in it', () => {
  for (const name of FUNCTIONS.filter((each) => !MODEL_FUNCTIONS.includes(each))) {
    for (const input of inputsOf(name)) for (const pattern of FORBIDDEN) expect(input, name).not.toMatch(pattern);
  }
});

test('the processes that models run in have no client of AWS in them', () => {
  for (const name of MODEL_FUNCTIONS) {
    expect(
      inputsOf(name, 'runner.mjs').filter((input) => /@aws-sdk|@smithy|^adapters\/aws|^lambdas/.test(input)),
    ).toEqual([]);
  }
});

test('a function has the handlers of its own endpoints in it and no others', () => {
  const handlers = (name: string) =>
    inputsOf(name)
      .filter((input) => /^lambdas\/http\//.test(input))
      .map((input) => input.slice('lambdas/http/'.length));
  expect(handlers('infer')).toContain('infer.ts');
  for (const other of ['tenants.ts', 'models.ts', 'predictions.ts', 'handlers.ts']) {
    expect(handlers('infer')).not.toContain(other);
  }
  expect(handlers('predictions')).not.toContain('infer.ts');
  expect(handlers('control')).not.toContain('replays.ts');
  expect(handlers('sweep')).toEqual([]);
});

test('Lambda gets the native library of its own processor and no other', () => {
  const binaries = readdirSync(join(bundles.folders.validate, 'node_modules/onnxruntime-node/bin'), {
    recursive: true,
    encoding: 'utf8',
  }).filter((path) => /\.(node|so\.\d+|dll|dylib)$/.test(path));
  expect(binaries.length).toBeGreaterThan(0);
  for (const path of binaries) expect(path).toMatch(/linux\/arm64\//);
});

test('source maps lie where nothing is deployed from', () => {
  for (const name of FUNCTIONS) {
    expect(existsSync(join(root, 'functions/maps', name, 'index.mjs.map')), name).toBe(true);
  }
});

test('the same sources give the same bytes, wherever they are written', async () => {
  const again = await bundleFunctions(join(root, 'again'), { sourceMaps: false });
  for (const name of FUNCTIONS) {
    const [one, two] = await Promise.all(
      [bundles, again].map(({ folders }) => readFile(join(folders[name], 'index.mjs'))),
    );
    expect(one!.equals(two!), name).toBe(true);
  }
});

test('the worker has what it needs to run models beside it', async () => {
  const folder = join(root, 'worker');
  await bundleWorker(folder, { architecture: 'x64', sourceMaps: false });
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  expect(files).toEqual(expect.arrayContaining(['main.mjs', 'runner.mjs']));
  expect(files.some((path) => path.endsWith('linux/x64/onnxruntime_binding.node'))).toBe(true);
});
