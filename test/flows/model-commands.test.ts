import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CHECKS } from '../../core/models/report.ts';
import { endlessLoop, idLookup, type ModelFiles } from '../support/bad-models.ts';
import { type CommandResult, sluice } from '../support/command-line.ts';
import type { ApiClient } from '../support/http-client.ts';
import { withManifest } from '../support/push-model.ts';
import { type RunningPlatform, startRunning } from '../support/running-platform.ts';

let running: RunningPlatform;
let operator: ApiClient;
let folders: string;

beforeAll(async () => {
  running = await startRunning();
  operator = await running.addKey(undefined);
  folders = mkdtempSync(join(tmpdir(), 'sluice-folders-'));
});

afterAll(async () => {
  await running.end();
  rmSync(folders, { recursive: true });
});

let count = 0;

/** A folder with the model's files, changed as told; null leaves one out. */
function folderOf(files: ModelFiles, changes: Readonly<Record<string, string | null>> = {}): string {
  count += 1;
  const folder = join(folders, `model-${count}`);
  mkdirSync(folder);
  const { model, golden, manifest } = files;
  const all = { 'model.onnx': model, 'golden.jsonl': golden, 'manifest.json': JSON.stringify(manifest), ...changes };
  for (const [name, content] of Object.entries(all)) if (content !== null) writeFileSync(join(folder, name), content);
  return folder;
}

/** Accepted: ids that the table does not have are refused before they reach it. */
function lookup(name: string): ModelFiles {
  return withManifest(idLookup(), { name, inputs: { ids: { min: 0, max: 9 } } });
}

function run(...args: string[]): Promise<CommandResult> {
  return sluice(args, { url: operator.url, key: operator.key });
}

/** The checks that were told, by their marks. */
function marked(text: string): (string | undefined)[] {
  const lines = text.split('\n').filter((line) => /^[✓!✗-] /.test(line));
  return lines.map((line) => line.split(/\s+/)[1]);
}

/** No failure is told as where in the program it happened. */
function expectNoStack({ stdout, stderr }: CommandResult): void {
  expect(`${stdout}${stderr}`).not.toMatch(/^\s+at .*:\d+/m);
}

const REPORT_LINES = ['checks', 'golden pairs', 'memory', 'batch policy', 'batch-mates', 'cost', 'repairs', 'rows/s'];

function expectReport(text: string): void {
  for (const line of REPORT_LINES) expect(text, line).toContain(line);
  expect(text).toMatch(/█/);
  expect(text).toMatch(/\$0\.0\d+ per thousand rows/);
}

describe('model push', () => {
  test('tells every check as it is made, then the report; the same again adds nothing', async () => {
    const folder = folderOf(lookup('pushed'), { 'notes.txt': 'x', 'weights.bin': 'x' });
    const first = await run('model', 'push', folder);
    expect(first, first.stderr).toMatchObject({ code: 0 });
    expect(marked(first.stderr)).toEqual(CHECKS);
    expect(first.stderr.match(/^uploaded /gm)).toHaveLength(2);
    expect(first.stderr).toContain('ignored, as no part of a model: notes.txt, weights.bin');
    expect(first.stderr).toContain('save it as one file');
    // Nothing that a terminal would have to take back.
    expect(first.stderr).not.toContain('\u001b');
    expect(first.stdout).toContain('pushed version 1 was added');
    expectReport(first.stdout);
    const again = await run('model', 'push', folder);
    expect(again.code).toBe(0);
    expect(again.stdout).toContain('pushed version 1 is this already');
    expect(again.stdout).toContain('nothing was added');
    expectReport(again.stdout);
  });

  test('with --json prints one document and nothing else, whatever happens', async () => {
    const good = await run('model', 'push', folderOf(lookup('as-json')), '--json', '--stable');
    expect(good).toMatchObject({ code: 0, stderr: '' });
    expect(JSON.parse(good.stdout)).toMatchObject({ state: 'accepted', version: { model: 'as-json', version: '1' } });
    const bad = await run('model', 'push', folderOf(withManifest(lookup('as-json'), { pool: 'gpu' })), '--json');
    expect(bad).toMatchObject({ code: 1, stderr: '' });
    expect(JSON.parse(bad.stdout)).toMatchObject({ state: 'refused', problem: { code: 'manifest-invalid' } });
    const refused = await run('model', 'push', folderOf(endlessLoop('always')), '--json');
    expect(refused).toMatchObject({ code: 1, stderr: '' });
    expect(JSON.parse(refused.stdout)).toMatchObject({
      state: 'refused',
      problem: { code: 'validation-timeout' },
      validation: { state: 'refused', model: 'endless-always' },
    });
    const missing = await run('model', 'push', join(folders, 'nothing'), '--json');
    expect(missing).toMatchObject({ code: 1, stderr: '' });
    expect(JSON.parse(missing.stdout)).toMatchObject({
      state: 'refused',
      problem: { title: expect.stringContaining('no folder') },
    });
  });

  test('of a refused model ends with the reason and what to do', async () => {
    const files = lookup('lying');
    const result = await run('model', 'push', folderOf({ ...files, golden: files.golden.replace('[3,8]', '[3,9]') }));
    expect(result.code).toBe(1);
    expect(result.stdout).toBe('');
    expect(result.stderr).toMatch(/^✗ golden .* 1 of 1 golden pairs differ/m);
    expect(result.stderr).toContain('Golden outputs do not match (golden-mismatch)');
    expect(result.stderr.trimEnd().split('\n').at(-1)).toMatch(/export the golden pairs again/);
    expectNoStack(result);
  });

  test('tells every mistake of a manifest at once, one that has no name too', async () => {
    const manifest = JSON.stringify({ colour: 'red', timeoutMs: -1, tokenizer: {} });
    const result = await run('model', 'push', folderOf(lookup('x'), { 'manifest.json': manifest }));
    expect(result.code).toBe(1);
    for (const place of ['name', 'colour', 'timeoutMs', 'tokenizer']) {
      expect(result.stderr).toMatch(new RegExp(`^ {2}- ${place}: `, 'm'));
    }
    expectNoStack(result);
  });

  test.each<[string, () => string, RegExp]>([
    ['a folder that is not there', () => join(folders, 'nothing'), /^There is no folder /],
    ['a file', () => join(folderOf(lookup('x')), 'model.onnx'), /is a file\. Name the folder/],
    ['a folder without a manifest', () => folderOf(lookup('x'), { 'manifest.json': null }), /has no manifest\.json\./],
    [
      'a folder whose model has another name',
      () => folderOf(lookup('x'), { 'model.onnx': null, 'best.onnx': 'x' }),
      /has no model\.onnx\. Rename best\.onnx to model\.onnx\./,
    ],
    ['a manifest that is not JSON', () => folderOf(lookup('x'), { 'manifest.json': '{"name": x}' }), /is not JSON: /],
    ['a manifest that is a list', () => folderOf(lookup('x'), { 'manifest.json': '[]' }), /must hold one JSON object/],
  ])('of %s says what is wrong with it', async (_, folderFor, message) => {
    const result = await run('model', 'push', folderFor());
    expect(result.code).toBe(1);
    expect(result.stderr).toMatch(message);
    expectNoStack(result);
  });

  test('that a server lets go of in the middle of a file says so', async () => {
    const server = createServer((request, response) => {
      if (request.method === 'PUT') request.socket.destroy();
      else response.writeHead(201).end(JSON.stringify({ id: 'upload', url: '/uploads/upload?token=t' }));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const pushed = await sluice(['model', 'push', folderOf(lookup('let-go'))], { url, key: operator.key });
    server.close();
    expect(pushed).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining(`No answer from ${url}`) });
  });

  test('to a region that is not there goes nowhere', async () => {
    const pushed = await run('model', 'push', folderOf(lookup('astray')), '--region', 'mars');
    expect(pushed).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining('us, eu') });
    expect((await operator.get('/control/v1/models/astray/versions')).status).toBe(404);
  });

  test('where nobody answers says so', async () => {
    const result = await sluice(['model', 'push', folderOf(lookup('x'))], { url: 'http://127.0.0.1:9', key: 'k' });
    expect(result.code).toBe(1);
    expect(result.stderr).toContain('No answer from http://127.0.0.1:9');
    expectNoStack(result);
  });
});

describe('model validate', () => {
  const alone = { url: 'http://127.0.0.1:9', key: undefined };

  test('reports what a push would, without a platform, and adds nothing', async () => {
    const result = await sluice(['model', 'validate', folderOf(lookup('alone'))], alone);
    expect(result, result.stderr).toMatchObject({ code: 0 });
    expect(result.stdout).toContain('alone would be accepted');
    expect(marked(result.stderr)).toEqual(CHECKS);
    expectReport(result.stdout);
    expect((await operator.get('/control/v1/models/alone/versions')).status).toBe(404);
  });

  test('refuses what a push would, as one document with --json', async () => {
    const folder = folderOf(endlessLoop('always'));
    const shown = await sluice(['model', 'validate', folder], alone);
    expect(shown.code).toBe(1);
    expect(shown.stderr).toContain('validation-timeout');
    expectNoStack(shown);
    const result = await sluice(['model', 'validate', folder, '--json'], alone);
    expect(result).toMatchObject({ code: 1, stderr: '' });
    expect(JSON.parse(result.stdout)).toMatchObject({
      state: 'refused',
      problem: { code: 'validation-timeout' },
      checks: expect.arrayContaining([expect.objectContaining({ check: 'golden', outcome: 'refused' })]),
    });
  });
});

describe('model show and list', () => {
  test('show what is there, and the report of a version', async () => {
    await running.push(withManifest(lookup('shown'), { description: 'one' }));
    await running.push(withManifest(lookup('shown'), { description: 'two' }));
    const list = await run('model', 'list');
    expect(list.stdout).toContain('shown');
    const all = await run('model', 'show', 'shown');
    expect(all.stdout).toContain('shown version 2');
    const one = await run('model', 'show', 'shown', '--version', '1');
    expect(one.stdout).toContain('shown version 1');
    expect(one.stdout).toContain('batch policy');
    const json = await run('model', 'show', 'shown', '--version', '1', '--json');
    expect(JSON.parse(json.stdout)).toMatchObject({ model: 'shown', version: '1', validation: { golden_pairs: 0 } });
    const unknown = await run('model', 'show', 'shown', '--version', '9');
    expect(unknown).toMatchObject({ code: 1, stdout: '' });
    expect(unknown.stderr).toContain('version-unknown');
    expectNoStack(unknown);
  });
});
