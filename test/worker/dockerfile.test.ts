import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bundleWorker } from '../../lib/bundle.ts';
import { WORKER_UID } from '../../lib/constructs/gpu-user-data.ts';
import { execForm, parseDockerfile, type Stage } from '../support/dockerfile.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const stages = parseDockerfile(readFileSync(join(ROOT, 'gpu-worker', 'Dockerfile'), 'utf8'));
const require = createRequire(import.meta.url);
const TARGETS = ['cuda', 'cpu'] as const;

/** The folder that an image is built from. */
const context = mkdtempSync(join(tmpdir(), 'sluice-image-'));

beforeAll(async () => {
  await bundleWorker(context, { sourceMaps: false });
}, 60_000);
afterAll(() => rmSync(context, { recursive: true, force: true }));

function stage(name: string): Stage {
  const found = stages.find((each) => each.name === name);
  if (found === undefined) throw new Error(`no stage ${name}`);
  return found;
}

function all(target: string, instruction: string): string[] {
  return stage(target)
    .instructions.filter(({ name }) => name === instruction)
    .map(({ text }) => text);
}

function only(target: string, instruction: string): string {
  const [text, ...more] = all(target, instruction);
  if (text === undefined || more.length > 0) throw new Error(`${target} wants one ${instruction}`);
  return text;
}

describe('the images that others are made of', () => {
  test('are named by an exact version', () => {
    const own = new Set(stages.map(({ name }) => name));
    for (const { image } of stages.filter((each) => !own.has(each.image))) {
      expect(image).toMatch(/^[\w./-]+:\d+\.\d+(\.\d+)?(-[\w.-]+)?(@sha256:[0-9a-f]{64})?$/);
    }
  });

  test("have the project's Node, and CUDA 12 with cuDNN at run time", () => {
    const { dependencies } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
      dependencies: Record<string, string>;
    };
    expect(stage('tools').image).toContain(`node:${dependencies.node}-`);
    expect(stage('cuda').image).toMatch(/^nvidia\/cuda:12\.\d+\.\d+-cudnn-runtime-/);
    expect(stage('cpu').image).not.toContain('cuda');
  });
});

describe.each(TARGETS)('the image for %s', (target) => {
  test("runs as a user that is none of the system's and owns the cache alone", () => {
    const [user, group] = only(target, 'USER').split(':');
    expect([Number(user), Number(group)]).toEqual([WORKER_UID, WORKER_UID]);
    expect(all(target, 'RUN')).toEqual([`mkdir /cache && chown ${user}:${group} /cache`]);
    expect(stage(target).instructions.some(({ text }) => text.includes('--chown'))).toBe(false);
  });

  test('writes nothing but its cache and /tmp', () => {
    expect(execForm(only(target, 'VOLUME'))).toEqual(['/cache', '/tmp']);
    expect(only(target, 'ENV')).toContain('SLUICE_CACHE_FOLDER=/cache');
  });

  test('has Node and no npm, no compiler and no package manager of ours', () => {
    const copied = all(target, 'COPY').filter((text) => text.startsWith('--from=tools'));
    expect(copied.map((text) => text.split(' ').slice(1))).toEqual([
      ['/usr/local/bin/node', '/usr/local/bin/node'],
      ['/usr/bin/tini-static', '/usr/local/bin/tini'],
    ]);
    expect(all(target, 'RUN').join()).not.toMatch(/npm|apt|curl|wget/);
    expect(all(target, 'ADD')).toEqual([]);
  });

  test('is told to stop by SIGTERM, through an init that reaps what is left of killed runners', () => {
    expect(only(target, 'STOPSIGNAL')).toBe('SIGTERM');
    expect(execForm(only(target, 'ENTRYPOINT'))).toEqual(['tini', '-s', '--', 'node', 'main.mjs']);
    expect(all(target, 'CMD')).toEqual([]);
  });

  test('has a health check that needs no shell', () => {
    const check = only(target, 'HEALTHCHECK');
    expect(check).toMatch(/--interval=\d+s --timeout=\d+s --start-period=\d+s --retries=\d CMD \[/);
    expect(execForm(check)).toEqual(['node', 'main.mjs', '--health']);
  });

  test('says what it is, and holds no secret', () => {
    expect(only(target, 'LABEL')).toContain('org.opencontainers.image.title="Sluice worker"');
    expect(only(target, 'LABEL')).toContain(`sluice.provider="${target}"`);
    expect(only(target, 'ENV')).toMatch(/^NODE_ENV=production SLUICE_PROVIDER=\w+ SLUICE_CACHE_FOLDER=\S+$/);
    expect(all(target, 'ARG')).toEqual([]);
  });

  test('copies what the bundle has', () => {
    const sources = all(target, 'COPY')
      .filter((text) => !text.startsWith('--from'))
      .flatMap((text) => text.split(' ').slice(0, -1));
    expect(sources).toEqual(['node_modules', 'main.mjs', 'runner.mjs']);
    for (const source of sources) expect(existsSync(join(context, source)), source).toBe(true);
  });
});

test('the two images differ in what they compute with, and in nothing else', () => {
  const shown = (target: (typeof TARGETS)[number]) =>
    stage(target)
      .instructions.filter(({ text }) => !text.startsWith('--from=cuda-provider'))
      .map(({ name, text }) => `${name} ${text.replaceAll(target, 'PROVIDER')}`);
  expect(shown('cuda')).toEqual(shown('cpu'));
});

test("onnxruntime's CUDA provider comes from its own script, of the bundled version, to where the bundle has its library", () => {
  const install = only('cuda-provider', 'RUN');
  expect(install).toContain('onnxruntime-node@$(node -p "require(\'./bundled.json\').version")');
  expect(install).toContain(
    'npm_config_onnxruntime_node_install=cuda12 node node_modules/onnxruntime-node/script/install ',
  );
  expect(all('cuda-provider', 'COPY')).toEqual(['node_modules/onnxruntime-node/package.json bundled.json']);
  const [copied = ''] = all('cuda', 'COPY').filter((text) => text.startsWith('--from=cuda-provider'));
  const place = copied.split(' ').at(-1)!;
  expect(existsSync(join(context, place, 'libonnxruntime.so.1'))).toBe(true);
  const { manifests } = require(
    join(dirname(require.resolve('onnxruntime-node/package.json')), 'script', 'install-metadata.js'),
  ) as {
    manifests: Record<string, Record<string, unknown>>;
  };
  const fetched = Object.keys(manifests['linux/x64:cuda12'] ?? {}).map((file) => file.replace('./', ''));
  for (const [library] of install.matchAll(/libonnxruntime_providers_\w+\.so/g)) expect(fetched).toContain(library);
});

describe('the bundle, run as the image runs it,', () => {
  const run = (...options: string[]) =>
    spawnSync(process.execPath, ['main.mjs', ...options], {
      cwd: context,
      env: { TMPDIR: context },
      encoding: 'utf8',
      timeout: 20_000,
    });

  test('is not healthy before it works', () => {
    expect(run('--health').status).toBe(1);
  });

  test('ends with one line of JSON that names every variable it lacks', () => {
    const { status, stdout } = run();
    expect(status).toBe(1);
    const [line, ...more] = stdout.trim().split('\n');
    expect(more).toEqual([]);
    expect(JSON.parse(line!)).toMatchObject({ level: 'error', message: 'the worker cannot start' });
    expect(line).toContain('SLUICE_JOBS_TABLE');
  });
});
