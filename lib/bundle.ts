import { cp, mkdir, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, type Metafile, type Plugin } from 'esbuild';
import { HTTP_FUNCTIONS, type HttpFunction, INNER_FUNCTIONS, type InnerFunction } from '../adapters/aws/environment.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

export type DeployedFunction = HttpFunction | InnerFunction;

/** Every function that is deployed. */
export const FUNCTIONS: readonly DeployedFunction[] = [
  ...(Object.keys(HTTP_FUNCTIONS) as HttpFunction[]),
  ...INNER_FUNCTIONS,
];

/** Functions that run models, in processes of their own. */
const MODEL_FUNCTIONS: ReadonlySet<DeployedFunction> = new Set(['replay', 'validate']);

/** Of a process that runs models: the library it needs beside it, as it loads a native one by its path. */
const ONNXRUNTIME = ['onnxruntime-node', 'onnxruntime-common'];
const RUNNER = 'gpu-worker/runner.ts';
/** What is bundled of CommonJS asks for Node's own modules by `require`, which a module does not have. */
const REQUIRE = 'import{createRequire}from"node:module";const require=createRequire(import.meta.url);';

export type BundleOptions = {
  /** What the processor of the machine is that will run it: Lambda's is arm64. */
  readonly architecture?: 'arm64' | 'x64';
  /** Where nobody will read a stack of a minified file: half the time is spent on them. Made unless told otherwise. */
  readonly sourceMaps?: boolean;
};

export type Bundles = {
  /** By function, the folder to deploy: `index.mjs` exports `handler`. */
  readonly folders: Readonly<Record<DeployedFunction, string>>;
  /** By entry, what is in which bundle. */
  readonly metafile: Metafile;
};

/**
 * Bundles every deployed function into a folder of its own under `outFolder`, which is emptied. The same sources give the same
 * bytes. Source maps lie under `maps/`, where nothing is deployed from.
 */
export async function bundleFunctions(
  outFolder: string,
  { architecture = 'arm64', sourceMaps = true }: BundleOptions = {},
): Promise<Bundles> {
  await rm(outFolder, { recursive: true, force: true });
  const runners = FUNCTIONS.filter((name) => MODEL_FUNCTIONS.has(name));
  const entryPoints = [
    ...FUNCTIONS.map((name) => ({ in: sourceOf(name), out: `${name}/index` })),
    ...runners.map((name) => ({ in: RUNNER, out: `${name}/runner` })),
  ];
  const metafile = await bundle(outFolder, entryPoints, sourceMaps, [environmentCredentials]);
  for (const name of runners) await copyOnnxruntime(join(outFolder, name), architecture);
  const folders = Object.fromEntries(FUNCTIONS.map((name) => [name, join(outFolder, name)]));
  return { folders: folders as Record<DeployedFunction, string>, metafile };
}

/** Bundles the worker into `outFolder`, which is emptied: `main.mjs`, and what it needs to run models. */
export async function bundleWorker(
  outFolder: string,
  { architecture = 'x64', sourceMaps = true }: BundleOptions = {},
): Promise<{ readonly metafile: Metafile }> {
  await rm(outFolder, { recursive: true, force: true });
  const entryPoints = [
    { in: 'gpu-worker/main.ts', out: 'main' },
    { in: RUNNER, out: 'runner' },
  ];
  const metafile = await bundle(outFolder, entryPoints, sourceMaps);
  await copyOnnxruntime(outFolder, architecture);
  return { metafile };
}

/** Bundles the checks from outside into `outFolder`, which is emptied, in the layout that CloudWatch Synthetics wants: a script of CommonJS. */
export async function bundleCanary(outFolder: string): Promise<void> {
  await rm(outFolder, { recursive: true, force: true });
  await build({
    absWorkingDir: ROOT,
    entryPoints: [{ in: 'lambdas/canary/main.ts', out: 'index' }],
    outdir: join(outFolder, 'nodejs', 'node_modules'),
    bundle: true,
    format: 'cjs',
    platform: 'node',
    target: 'node20',
    mainFields: ['module', 'main'],
    minify: true,
    keepNames: true,
    plugins: [englishOnly],
    legalComments: 'none',
    logLevel: 'silent',
  });
}

function sourceOf(name: DeployedFunction): string {
  return `lambdas/${MODEL_FUNCTIONS.has(name) ? 'model-runs' : 'entry'}/${name}.ts`;
}

/** zod brings its messages in fifty languages, a quarter of a megabyte that every start would read; ours are English. */
const englishOnly: Plugin = {
  name: 'english-only',
  setup({ onLoad }) {
    onLoad({ filter: /\/zod\/v4\/locales\/index\.js$/ }, () => ({
      contents: "export { default as en } from './en.js';",
    }));
  },
};

/**
 * Lambda puts a function's credentials into its environment; where else they could come from (profiles, single sign-on, instances) is an eighth of
 * every function.
 */
const environmentCredentials: Plugin = {
  name: 'environment-credentials',
  setup({ onLoad }) {
    onLoad({ filter: /\/credential-provider-node\/dist-es\/defaultProvider\.js$/ }, ({ path }) => ({
      contents: `
        export { fromEnv as defaultProvider } from '@aws-sdk/credential-provider-env';
        export const credentialsWillNeedRefresh = (credentials) => credentials?.expiration !== undefined;
        export const credentialsTreatedAsExpired = () => false;`,
      resolveDir: dirname(path),
    }));
  },
};

async function bundle(
  outFolder: string,
  entryPoints: { in: string; out: string }[],
  sourceMaps: boolean,
  plugins: readonly Plugin[] = [],
): Promise<Metafile> {
  const { outputFiles, metafile } = await build({
    absWorkingDir: ROOT,
    entryPoints,
    outdir: outFolder,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node24',
    mainFields: ['module', 'main'],
    external: ONNXRUNTIME,
    banner: { js: REQUIRE },
    minify: true,
    // Logs show stacks: with the names of functions and classes as they are written.
    keepNames: true,
    sourcemap: sourceMaps && 'external',
    sourcesContent: false,
    plugins: [englishOnly, ...plugins],
    legalComments: 'none',
    logLevel: 'silent',
    metafile: true,
    write: false,
  });
  for (const { path, contents } of outputFiles) {
    const place = path.endsWith('.map') ? join(outFolder, 'maps', relative(outFolder, path)) : path;
    await mkdir(dirname(place), { recursive: true });
    await writeFile(place, contents);
  }
  return metafile;
}

/** As it is installed, with the native library of one processor and none of the others. */
async function copyOnnxruntime(folder: string, architecture: 'arm64' | 'x64'): Promise<void> {
  const require = createRequire(import.meta.url);
  for (const name of ONNXRUNTIME) {
    const from = packageFolder(require.resolve(name), name);
    const binaries = join('linux', architecture);
    await cp(from, join(folder, 'node_modules', name), {
      recursive: true,
      filter: (path) => isNeeded(relative(from, path), binaries),
    });
  }
}

function packageFolder(path: string, name: string): string {
  return basename(dirname(path)) === name ? dirname(path) : packageFolder(dirname(path), name);
}

/** Below `bin/napi-v<n>/` only what is on the way to `binaries`. */
function isNeeded(path: string, binaries: string): boolean {
  if (/\.(map|ts|md)$/.test(path) || /^(lib|script)(\/|$)/.test(path)) return false;
  const [, below] = /^bin\/napi-v\d+\/(.+)$/.exec(path) ?? [];
  return below === undefined || below.startsWith(binaries) || binaries.startsWith(`${below}/`);
}
