import { createReadStream, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { validateFiles } from '../../embedded/validate-files.ts';
import { ensureSampleModel } from '../../models/build.ts';
import { tokenBatch } from '../../models/encoder-l6.ts';
import { type GoldenTensor, openSession, runModel } from '../../models/golden.ts';

const WIDTH = 384;

let cache: string;
let full: string;
let small: string;
beforeAll(async () => {
  cache = mkdtempSync(join(tmpdir(), 'sluice-int8-'));
  full = join(await ensureSampleModel('encoder-l6', cache), 'model.onnx');
  small = join(await ensureSampleModel('encoder-l6-int8', cache), 'model.onnx');
}, 30_000);
afterAll(() => rmSync(cache, { recursive: true }));

async function embed(path: string, inputs: readonly GoldenTensor[]): Promise<number[][]> {
  const session = await openSession(path);
  const flat = (await runModel(session, inputs))[0]!.data as number[];
  await session.release();
  return Array.from({ length: flat.length / WIDTH }, (_, row) => flat.slice(row * WIDTH, (row + 1) * WIDTH));
}

/** Both have length 1. */
function cosine(a: readonly number[], b: readonly number[]): number {
  return a.reduce((sum, value, at) => sum + value * b[at]!, 0);
}

test('the same embeddings come out as of encoder-l6, to a cosine of 0.999', async () => {
  for (const lengths of [[1], [32], [128], [5, 12, 48], [7, 7, 7, 7, 7, 7, 7, 7]]) {
    const inputs = tokenBatch(lengths);
    const [expected, got] = [await embed(full, inputs), await embed(small, inputs)];
    for (const [row, embedding] of got.entries()) expect(cosine(embedding, expected[row]!)).toBeGreaterThan(0.999);
  }
});

test('the file is less than half as large', () => {
  expect(statSync(small).size).toBeLessThan(statSync(full).size / 2);
});

test('it is the same model whenever it is built', async () => {
  const again = join(await ensureSampleModel('encoder-l6-int8', join(cache, 'again')), 'model.onnx');
  expect(readFileSync(again).equals(readFileSync(small))).toBe(true);
}, 30_000);

test('validation accepts it and finds that rows of two tenants must not share a run', async () => {
  const folder = join(small, '..');
  const files = {
    modelPath: small,
    golden: createReadStream(join(folder, 'golden.jsonl')),
    tokenizerPath: undefined,
  };
  const manifest: unknown = JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8'));
  const { validation } = await validateFiles(manifest, files, () => {});
  expect(validation.batchMates.verdict).toBe('mate-dependent');
  expect(validation.batchMates.largestDifference).toBeGreaterThan(1e-4);
  expect(validation.goldenPairs).toBe(3);
}, 60_000);
