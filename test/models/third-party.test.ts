import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { InferenceSession } from 'onnxruntime-node';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readModel, writeModel } from '../../adapters/onnx/graph/codec.ts';
import { THIRD_PARTY_MODELS, thirdPartyFolder } from '../../models/third-party.ts';
import { checkGolden, SHARED_FOLDER } from './golden-check.ts';

const SHARED_MODELS = join(SHARED_FOLDER, 'models');
const missing = !existsSync(SHARED_MODELS);
if (missing) console.warn(`skipping the third-party models: ${SHARED_MODELS} is not there`);

const SIGNATURES = {
  'mnist-12': [
    ['Input3', 1, 1, 28, 28],
    ['Plus214_Output_0', 1, 10],
  ],
  'xgboost-classifier': [
    ['input', '', 13],
    ['label', ''],
    ['probabilities', '', 3],
  ],
  'lightgbm-regressor': [
    ['input', 'batch', 13],
    ['output', 'batch', 1],
  ],
} as const;

let target: string;
beforeAll(() => {
  target = mkdtempSync(join(tmpdir(), 'sluice-third-party-'));
});
afterAll(() => rmSync(target, { recursive: true }));

test.skipIf(missing).each(THIRD_PARTY_MODELS)('%s is a valid push with the signature that we know', async (name) => {
  const folder = thirdPartyFolder(name, SHARED_MODELS, join(target, name))!;
  const golden = await checkGolden(folder);
  expect(golden.misses).toEqual([]);
  expect(golden.pairs).toBe(name === 'mnist-12' ? 3 : 1);
  const session = await InferenceSession.create(join(folder, 'model.onnx'), { logSeverityLevel: 4 });
  const values = [...session.inputMetadata, ...session.outputMetadata];
  expect(values.map((value) => [value.name, ...(value.isTensor ? value.shape : [])])).toEqual(SIGNATURES[name]);
  await session.release();
});

test.skipIf(missing).each(THIRD_PARTY_MODELS)('%s loads after our codec has read and written it', async (name) => {
  const again = writeModel(readModel(await readFile(join(SHARED_MODELS, name, 'model.onnx'))));
  const session = await InferenceSession.create(again, { logSeverityLevel: 4 });
  expect(session.inputNames).toHaveLength(1);
  await session.release();
});

test('without the shared folder there is no third-party model and no half folder', () => {
  expect(thirdPartyFolder('mnist-12', join(target, 'nowhere'), join(target, 'none'))).toBeUndefined();
  expect(existsSync(join(target, 'none'))).toBe(false);
});
