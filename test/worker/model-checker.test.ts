import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { SystemClock } from '../../adapters/local/system-clock.ts';
import { createModelChecker } from '../../adapters/onnx/model-checker.ts';
import type { FailureCode } from '../../core/failure.ts';
import { parseManifest } from '../../core/models/check-manifest.ts';
import { parseGolden } from '../../core/models/parse-golden.ts';
import { spawnRunner } from '../../gpu-worker/runner-process.ts';
import { THIRD_PARTY_MODELS, thirdPartyFolder } from '../../models/third-party.ts';
import { constantAnswer, crashOnMinusOne, endlessLoop, idLookup, type ModelFiles } from '../support/bad-models.ts';

const SHARED_MODELS = join(import.meta.dirname, '..', '..', '..', 'shared', 'models');
const clock = new SystemClock();
const folder = mkdtempSync(join(tmpdir(), 'sluice-checker-'));
const checker = createModelChecker(clock, () =>
  spawnRunner({ provider: 'cpu', intraOpThreads: 1, environment: {} }, clock),
);
afterAll(() => rmSync(folder, { recursive: true }));

async function check(files: ModelFiles, manifestChanges: object = {}) {
  const path = join(folder, 'model.onnx');
  writeFileSync(path, files.model);
  const golden = await parseGolden(bytesOf(files.golden));
  return checker.check(path, parseManifest({ ...files.manifest, ...manifestChanges }), golden.pairs);
}

async function* bytesOf(text: string): AsyncIterable<Uint8Array> {
  yield new TextEncoder().encode(text);
}

function failsWith(code: FailureCode) {
  return expect.objectContaining({ code });
}

describe('a pushed model', () => {
  test('that meets its golden pairs is measured', async () => {
    const { signature, validation } = await check(idLookup());
    expect(signature.inputs[0]).toEqual({ name: 'ids', datatype: 'INT64', shape: ['batch', 'sequence'] });
    expect(validation).toMatchObject({ goldenPairs: 1, largestDifference: 0 });
    expect(validation.rowMs).toBeGreaterThan(0);
    expect(validation.loadMs).toBeGreaterThan(0);
    expect(validation.memoryBytes).toBeGreaterThan(0);
  });

  test('that came without golden pairs is measured on the smallest inputs', async () => {
    expect((await check({ ...idLookup(), golden: '' })).validation).toMatchObject({ goldenPairs: 0 });
  });

  test('is refused if it answers something else', async () => {
    const wrong = constantAnswer(41);
    await expect(check({ ...constantAnswer(42), golden: wrong.golden })).rejects.toEqual(failsWith('golden-mismatch'));
  });

  test('is refused if its golden pairs are not of its inputs', async () => {
    await expect(check({ ...constantAnswer(42), golden: idLookup().golden })).rejects.toEqual(
      failsWith('golden-invalid'),
    );
  });

  test('is refused if the file is damaged, or no model', async () => {
    const files = idLookup();
    await expect(check({ ...files, model: files.model.subarray(0, 60) })).rejects.toEqual(failsWith('model-invalid'));
    await expect(check({ ...files, model: new Uint8Array(100) })).rejects.toEqual(failsWith('model-invalid'));
  });

  test('that never ends is stopped at its own limit', async () => {
    await expect(check({ ...endlessLoop('always'), golden: '' }, { timeoutMs: 300 })).rejects.toEqual(
      failsWith('validation-timeout'),
    );
  });

  test('that ends its process is refused, and the caller survives', async () => {
    const golden = { name: 'n', shape: [1], datatype: 'INT64', data: [-1] };
    const output = { name: 'y', shape: [1], datatype: 'FP32', data: [1] };
    const files = { ...crashOnMinusOne(), golden: JSON.stringify({ inputs: [golden], outputs: [output] }) };
    await expect(check(files)).rejects.toEqual(failsWith('model-invalid'));
  });

  test('leaves nothing behind', async () => {
    const before = readdirSync(tmpdir()).filter((name) => name.startsWith('sluice-check-'));
    await check(idLookup());
    const left = readdirSync(tmpdir()).filter((name) => name.startsWith('sluice-check-') && !before.includes(name));
    expect(left).toEqual([]);
  });

  for (const name of THIRD_PARTY_MODELS) {
    test(`of others serves as it is: ${name}`, async ({ skip }) => {
      const path = thirdPartyFolder(name, SHARED_MODELS, join(folder, name));
      if (path === undefined) return skip(`the shared models are not here: ${SHARED_MODELS}`);
      const golden = await parseGolden(bytesOf(readFileSync(join(path, 'golden.jsonl'), 'utf8')));
      const manifest = parseManifest(JSON.parse(readFileSync(join(path, 'manifest.json'), 'utf8')));
      const { validation } = await checker.check(join(path, 'model.onnx'), manifest, golden.pairs);
      expect(validation.goldenPairs).toBeGreaterThan(0);
    });
  }
});
