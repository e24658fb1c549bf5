import { execFile } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';

const ROOT = join(import.meta.dirname, '..', '..');

/** From a folder, what it must not import: one of each kind that the table in the design forbids. */
const FORBIDDEN: Readonly<Record<string, readonly string[]>> = {
  'core/inference': [
    '../../adapters/local/jobs.ts',
    '../../lambdas/http/host.ts',
    '../../gpu-worker/worker.ts',
    '../../embedded/platform.ts',
    '../../bin/sluice.ts',
    '../../clients/typescript/client.ts',
    '../../models/build.ts',
    '../../bench/main.ts',
    '../../test/support/jobs.ts',
    'node:fs',
    '@middy/core',
    'onnxruntime-node',
    'jose',
    'commander',
  ],
  'adapters/local': [
    '../onnx/session.ts',
    '../identity/identity.ts',
    '../aws/jobs.ts',
    '../webhooks/sender.ts',
    '../../gpu-worker/worker.ts',
  ],
  'adapters/aws': ['../local/jobs.ts', '../node/system-clock.ts', '../onnx/session.ts', '../../lib/config.ts'],
  'adapters/node': ['../local/jobs.ts', '../aws/jobs.ts', '../../lambdas/http/host.ts'],
  'lambdas/entry': [
    '../../adapters/local/jobs.ts',
    '../../adapters/onnx/session.ts',
    '../../gpu-worker/worker.ts',
    '../../lib/config.ts',
  ],
  'lambdas/model-runs': ['../../adapters/local/jobs.ts', '../../embedded/region.ts', '../../lib/config.ts'],
  lib: ['../adapters/aws/jobs.ts', '../lambdas/http/host.ts', '../core/failure.ts', '../gpu-worker/worker.ts'],
  'adapters/onnx': ['../local/jobs.ts', '../identity/identity.ts', '../../embedded/platform.ts'],
  'adapters/webhooks': ['../local/jobs.ts', '../onnx/session.ts', '../../lambdas/http/host.ts'],
  'adapters/tokenizers': ['../local/artifacts.ts', '../onnx/session.ts', '../../gpu-worker/worker.ts'],
  'adapters/identity': ['../local/jobs.ts', '../onnx/session.ts', '../../lambdas/http/host.ts'],
  'lambdas/http': ['../../adapters/local/jobs.ts', '../../gpu-worker/worker.ts', '../../embedded/region.ts', 'node:fs'],
  'lambdas/middleware': ['../../adapters/identity/identity.ts', '../../bin/sluice.ts', 'node:http'],
  'gpu-worker': ['../lambdas/http/host.ts', '../embedded/platform.ts', '../bin/sluice.ts', '../test/support/jobs.ts'],
  embedded: ['../adapters/aws/jobs.ts', '../bin/sluice.ts', '../bench/main.ts', '../test/support/jobs.ts'],
  bin: ['../lambdas/http/host.ts', '../gpu-worker/worker.ts', '../test/support/jobs.ts'],
  models: ['../adapters/onnx/session.ts', '../embedded/platform.ts', '../test/support/jobs.ts'],
  bench: ['../test/support/jobs.ts', '../test/support/aws/cloud.ts'],
  'bench/measurements': ['../../test/support/jobs.ts', '../../test/support/aws/cloud.ts'],
  'bench/deployed': ['../../test/support/jobs.ts', '../../lambdas/http/host.ts'],
  'console/src': ['../../core/failure.ts', '../../core/tenancy/plan.ts', '../../embedded/region.ts', 'node:fs'],
  'clients/typescript': ['../../core/failure.ts', '../generate-typescript.ts', 'node:fs', 'zod', '@middy/core'],
};

/** From a folder, what it is there to import. */
const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  'core/inference': ['../ports/jobs.ts', 'zod', '../models/version.ts'],
  'adapters/local': ['../../core/ports/jobs.ts', '../../core/webhooks/webhook.ts', 'node:sqlite', './database.ts'],
  'adapters/webhooks': ['../../core/webhooks/webhook.ts', 'node:https', './target.ts'],
  'adapters/tokenizers': ['../../core/ports/tokenizers.ts', '@huggingface/tokenizers', 'node:fs/promises'],
  'lambdas/entry': ['../http/handlers.ts', '../../adapters/aws/jobs.ts', '../../adapters/identity/identity.ts'],
  'lambdas/model-runs': ['../../adapters/aws/jobs.ts', '../../adapters/onnx/sandbox.ts'],
  lib: ['../adapters/aws/environment.ts', '../adapters/aws/keys.ts', '../core/api/routes.ts', 'aws-cdk-lib'],
  'lambdas/http': ['../../core/inference/gateway.ts', '@middy/core', '../middleware/chain.ts'],
  'gpu-worker': ['../core/inference/work.ts', '../adapters/onnx/session.ts'],
  embedded: ['../adapters/local/jobs.ts', '../gpu-worker/worker.ts', '../lambdas/http/handlers.ts'],
  bin: ['../embedded/platform.ts', '../core/failure.ts', '../models/build.ts', '../clients/typescript/client.ts'],
  'console/src': ['../../core/api/routes.ts', '../../core/units.ts', '../../clients/typescript/client.ts', 'react'],
  'clients/typescript': ['./schema.ts'],
  models: ['../adapters/onnx/graph/codec.ts', '../core/models/manifest.ts'],
  'bench/measurements': ['../deployed/deployment.ts', '../../models/catalogue.ts'],
  'bench/deployed': ['../../test/support/aws/cloud.ts', '../../adapters/aws/environment.ts'],
};

type Diagnostic = {
  readonly category: string;
  readonly location: { readonly path: string | { readonly file: string } };
};

let folder: string;
let refused: ReadonlySet<string>;

/** One file an import, so that what is refused can be told apart. */
function fileOf(from: string, place: number, kind: 'bad' | 'good'): string {
  return `${from}/planted-${kind}-${place}.ts`;
}

async function plant(kind: 'bad' | 'good', table: typeof FORBIDDEN): Promise<void> {
  for (const [from, imports] of Object.entries(table)) {
    await mkdir(join(folder, from), { recursive: true });
    for (const [place, specifier] of imports.entries()) {
      const source = `import { planted } from '${specifier}';\n\nexport const used = planted;\n`;
      await writeFile(join(folder, fileOf(from, place, kind)), source);
    }
  }
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-boundaries-'));
  await copyFile(join(ROOT, 'biome.json'), join(folder, 'biome.json'));
  await plant('bad', FORBIDDEN);
  await plant('good', ALLOWED);
  const biome = join(ROOT, 'node_modules', '@biomejs', 'biome', 'bin', 'biome');
  const args = [biome, 'lint', '--vcs-enabled=false', '--reporter=json', '--max-diagnostics=none', '.'];
  // Biome exits with 1 when it finds something, which is what it is for here.
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: folder }).catch(
    (error: { stdout: string }) => error,
  );
  const { diagnostics } = JSON.parse(stdout) as { diagnostics: readonly Diagnostic[] };
  refused = new Set(
    diagnostics
      .filter(({ category }) => category === 'lint/style/noRestrictedImports')
      .map(({ location: { path } }) => (typeof path === 'string' ? path : path.file).replace(/^\.\//, '')),
  );
});

afterAll(() => rm(folder, { recursive: true }));

const cases = Object.entries(FORBIDDEN).flatMap(([from, imports]) =>
  imports.map((specifier, place) => ({ from, specifier, place })),
);

test.each(cases)('$from may not import $specifier', ({ from, place }) => {
  expect(refused).toContain(fileOf(from, place, 'bad'));
});

test('what each folder is there to import is let through', () => {
  expect([...refused].filter((path) => path.includes('planted-good'))).toEqual([]);
});
