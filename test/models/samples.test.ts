import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ensureSampleModel } from '../../models/build.ts';
import { SAMPLE_MODELS, sampleModel } from '../../models/catalogue.ts';
import { tokenBatch } from '../../models/encoder-l6.ts';
import { type GoldenTensor, openSession, runModel } from '../../models/golden.ts';
import { checkGolden, graphInputs } from './golden-check.ts';

let cache: string;
beforeAll(() => {
  cache = mkdtempSync(join(tmpdir(), 'sluice-samples-'));
});
afterAll(() => rmSync(cache, { recursive: true }));

test.each(SAMPLE_MODELS)('$name is a valid push, and its example runs', async ({ name, example }) => {
  const folder = await ensureSampleModel(name, cache);
  const golden = await checkGolden(folder);
  expect(golden.misses).toEqual([]);
  expect(golden.pairs).toBeGreaterThanOrEqual(2);
  const session = await openSession(join(folder, 'model.onnx'));
  const outputs = await runModel(session, graphInputs(folder, session)(example.inputs));
  expect(outputs.map((output) => output.name)).toEqual(session.outputNames);
  await session.release();
});

test('an unknown sample is refused by name', () => {
  expect(() => sampleModel('nothing')).toThrow('no sample model nothing');
});

test('a sample is built once, and again when its recipe has changed', async () => {
  const lines: string[] = [];
  const folder = await ensureSampleModel('row-sum', join(cache, 'once'), (line) => lines.push(line));
  expect(lines).toHaveLength(2);
  await ensureSampleModel('row-sum', join(cache, 'once'), (line) => lines.push(line));
  expect(lines).toHaveLength(2);
  writeFileSync(join(folder, 'recipe'), '0\n');
  await ensureSampleModel('row-sum', join(cache, 'once'), (line) => lines.push(line));
  expect(lines).toHaveLength(4);
});

test('concurrent callers get one whole folder and leave nothing else behind', async () => {
  const folders = await Promise.all(
    Array.from({ length: 8 }, () => ensureSampleModel('row-sum', join(cache, 'concurrent'))),
  );
  expect(new Set(folders).size).toBe(1);
  expect(readdirSync(join(cache, 'concurrent'))).toEqual(['row-sum']);
  expect(readdirSync(folders[0]!).sort()).toEqual(['golden.jsonl', 'manifest.json', 'model.onnx', 'recipe']);
});

test('row-sum is smaller than a kilobyte', async () => {
  const folder = await ensureSampleModel('row-sum', cache);
  expect(statSync(join(folder, 'model.onnx')).size).toBeLessThan(1024);
});

test('encoder-l6 is the same model whenever it is built', async () => {
  const first = await ensureSampleModel('encoder-l6', cache);
  const second = await ensureSampleModel('encoder-l6', join(cache, 'again'));
  const bytes = [first, second].map((folder) => readFileSync(join(folder, 'model.onnx')));
  expect(Buffer.compare(bytes[0]!, bytes[1]!)).toBe(0);
});

test('encoder-l6 gives a row the same embedding of length 1 however it is padded and whatever is beside it', async () => {
  const session = await openSession(join(await ensureSampleModel('encoder-l6', cache), 'model.onnx'));
  expect(session.inputMetadata).toMatchObject([
    { name: 'input_ids', type: 'int64', shape: ['batch', 'sequence'] },
    { name: 'attention_mask', type: 'int64', shape: ['batch', 'sequence'] },
  ]);
  expect(session.outputMetadata).toMatchObject([{ name: 'embedding', type: 'float32', shape: ['batch', 384] }]);
  const [alone] = await embed(tokenBatch([7]));
  expect(Math.hypot(...alone!)).toBeCloseTo(1, 5);
  const padded = await embed(tokenBatch([7]).map((tensor) => repad(tensor, (row) => [...row, ...zeros(25)])));
  const paddedLeft = await embed(tokenBatch([7]).map((tensor) => repad(tensor, (row) => [...zeros(9), ...row])));
  const withMates = await embed(tokenBatch([7, 40, 3]));
  for (const other of [padded[0]!, paddedLeft[0]!, withMates[0]!]) expect(farthest(alone!, other)).toBeLessThan(1e-5);
  expect(farthest(alone!, withMates[1]!)).toBeGreaterThan(0.01);
  await session.release();

  async function embed(inputs: readonly GoldenTensor[]): Promise<number[][]> {
    const flat = (await runModel(session, inputs))[0]!.data as number[];
    return Array.from({ length: flat.length / 384 }, (_, row) => flat.slice(row * 384, row * 384 + 384));
  }
});

test('a row of encoder-l6 without any token gives zeros, not NaN', async () => {
  const session = await openSession(join(await ensureSampleModel('encoder-l6', cache), 'model.onnx'));
  const [embedding] = await runModel(
    session,
    tokenBatch([4]).map((tensor) => repad(tensor, (row) => zeros(row.length))),
  );
  expect(new Set(embedding!.data as number[])).toEqual(new Set([0]));
  await session.release();
});

function zeros(length: number): number[] {
  return new Array<number>(length).fill(0);
}

/** A batch of one row, that row changed. */
function repad(tensor: GoldenTensor, change: (row: number[]) => number[]): GoldenTensor {
  const data = change(tensor.data as number[]);
  return { name: tensor.name, shape: [1, data.length], datatype: 'INT64', data };
}

function farthest(a: readonly number[], b: readonly number[]): number {
  return Math.max(...a.map((value, at) => Math.abs(value - b[at]!)));
}
