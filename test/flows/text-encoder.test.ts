import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { pushVersion } from '../../core/models/push.ts';
import { ensureSampleModel } from '../../models/build.ts';
import { readGolden } from '../models/golden-check.ts';
import { type Answer, type ApiClient, type InferJson, texts } from '../support/http-client.ts';
import { type RunningPlatform, startRunning } from '../support/running-platform.ts';
import { type TokenizerFile, wordPieceFile } from '../support/tokenizer-files.ts';

const MODEL_CACHE = join(import.meta.dirname, '..', '..', '.cache', 'models');
const WIDTH = 128;

let platform: RunningPlatform;
let acme: ApiClient;
let globex: ApiClient;
let folder: string;

beforeAll(async () => {
  folder = await ensureSampleModel('text-encoder', MODEL_CACHE);
  platform = await startRunning({ runners: 2 });
  [acme, globex] = [await platform.addTenant('acme'), await platform.addTenant('globex')];
  await push({});
});
afterAll(() => platform?.end());

/** Pushes the folder with other members in its manifest, another tokenizer, or without golden pairs. */
async function push(changes: object, tokenizer?: TokenizerFile, golden = true): Promise<void> {
  const file = (name: string) => readFile(join(folder, name));
  const manifest = JSON.parse(await file('manifest.json').then(String)) as object;
  const given = tokenizer === undefined ? await file('tokenizer.json') : Buffer.from(JSON.stringify(tokenizer));
  await pushVersion(platform.region().platform, {
    manifest: { ...manifest, ...changes },
    modelBytes: Readable.from([await file('model.onnx')]),
    golden: golden ? Readable.from([await file('golden.jsonl')]) : undefined,
    tokenizer: Readable.from([given]),
    pushedBy: 'installer',
  });
}

/** A row a text. */
function rowsOf(answer: Answer): number[][] {
  expect(answer.status, answer.text).toBe(200);
  const [{ name, shape, data }] = answer.json<InferJson>().outputs as [InferJson['outputs'][0]];
  expect({ name, width: shape[1] }).toEqual({ name: 'embedding', width: WIDTH });
  const flat = data as number[];
  return Array.from({ length: shape[0]! }, (_, row) => flat.slice(row * WIDTH, (row + 1) * WIDTH));
}

async function embed(client: ApiClient, ...data: string[]): Promise<number[][]> {
  return rowsOf(await client.infer('text-encoder', texts('text', ...data)));
}

function farthest(a: readonly number[], b: readonly number[]): number {
  return Math.max(...a.map((value, at) => Math.abs(value - b[at]!)));
}

describe('a model with a tokenizer', () => {
  it('says that it takes one text a row', async () => {
    const metadata = (await acme.get('/v2/models/text-encoder')).json<{ inputs: object[]; outputs: object[] }>();
    expect(metadata.inputs).toEqual([{ name: 'text', datatype: 'BYTES', shape: [-1] }]);
    expect(metadata.outputs).toEqual([{ name: 'embedding', datatype: 'FP32', shape: [-1, WIDTH] }]);
  });

  it('answers its golden texts', async () => {
    for (const { inputs, outputs } of readGolden(String(await readFile(join(folder, 'golden.jsonl'))))) {
      const got = rowsOf(await acme.infer('text-encoder', inputs)).flat();
      expect(farthest(got, outputs[0]!.data as number[])).toBeLessThan(1e-4);
    }
  });

  it('gives a text the same answer whatever is beside it, in its request or in others of its batch', async () => {
    const words = ['card', 'payment', 'why', 'transfer', '👍', 'é', 'unhappily'];
    const all = Array.from({ length: 40 }, (_, at) =>
      Array.from({ length: at % 13 }, (_, n) => words[(at + n) % 7]).join(' '),
    );
    const alone: number[][] = [];
    for (const text of all) alone.push((await embed(acme, text))[0]!);
    const atOnce = await Promise.all(all.map((text, at) => embed(at % 2 === 0 ? acme : globex, text)));
    const together = await embed(globex, ...all);
    for (const [at, row] of alone.entries()) {
      expect(farthest(row, atOnce[at]![0]!)).toBeLessThan(1e-4);
      expect(farthest(row, together[at]!)).toBeLessThan(1e-4);
    }
  });

  it('does not see what is cut, and sees what is not', async () => {
    // 126 tokens of text fit between the two special ones; each word is one.
    const words = (count: number, last: string) => `${'card '.repeat(count - 1)}${last}`;
    const [kept, cut, other, short] = await embed(
      acme,
      words(126, 'card'),
      words(150, 'why'),
      words(126, 'why'),
      words(125, 'card'),
    );
    expect(farthest(kept!, cut!)).toBeLessThan(1e-5);
    expect(farthest(kept!, other!)).toBeGreaterThan(1e-4);
    expect(farthest(kept!, short!)).toBeGreaterThan(1e-5);
  });

  it('refuses what does not fit, naming it', async () => {
    const problem = async (...inputs: Parameters<ApiClient['infer']>[1]) => {
      const answer = await acme.infer('text-encoder', inputs);
      return { status: answer.status, ...answer.json() };
    };
    const ids = { name: 'input_ids', shape: [1, 2], datatype: 'INT64', data: [2, 3] };
    expect(await problem(ids)).toMatchObject({ status: 400, code: 'input-unknown', known: ['text'] });
    expect(await problem(...texts('text', 'a', 'x'.repeat(1001)))).toMatchObject({ code: 'text-invalid', index: 1 });
    expect(await problem(...texts('text', ...Array(65).fill('a')))).toMatchObject({
      code: 'input-too-large',
      limit: 64,
    });
  });

  it('takes the largest request that it may, others being answered meanwhile', async () => {
    const largest = embed(acme, ...Array(64).fill('why card '.repeat(111)));
    expect(await embed(globex, 'card')).toHaveLength(1);
    expect(await largest).toHaveLength(64);
  });

  it('answers later what was asked for later', async () => {
    const text = 'Where is my new card?';
    const accepted = await acme.infer('text-encoder', texts('text', text), { headers: { prefer: 'respond-async' } });
    expect(accepted.status).toBe(202);
    const late = rowsOf(await acme.result(accepted.header('location')!));
    expect(farthest(late[0]!, (await embed(acme, text))[0]!)).toBeLessThan(1e-4);
  });

  it('knows a repeated request by what was sent, not by its tokens', async () => {
    const once = (text: string) =>
      acme.infer('text-encoder', texts('text', text), { headers: { 'idempotency-key': 'once' } });
    const first = await once('Card payment');
    expect((await once('Card payment')).text).toBe(first.text);
    const other = await once('card payment');
    expect(other.json()).toMatchObject({ code: 'idempotency-key-reused' });
    expect(await embed(acme, 'card payment')).toEqual(await embed(acme, 'Card payment'));
  });
});

describe('a push with a tokenizer', () => {
  it('may refuse long texts instead of cutting them, at the token that is too many', async () => {
    const tokenizer = { ids: 'input_ids', mask: 'attention_mask', maxTokens: 128, longTexts: 'refuse' };
    await push({ name: 'refusing', tokenizer }, undefined, false);
    const ask = (words: number) => acme.infer('refusing', texts('text', 'card', 'card '.repeat(words)));
    expect((await ask(126)).status).toBe(200);
    expect((await ask(127)).json()).toMatchObject({
      code: 'input-too-large',
      field: 'inputs[0].data',
      index: 1,
      limit: 128,
      got: 129,
    });
  });

  it.each([
    ['an input that the graph does not have', { ids: 'input_ids', mask: 'mask' }, /mask: the model has no input mask/],
    ['an input that nothing fills', { ids: 'input_ids' }, /nothing fills attention_mask/],
    ['more tokens than limits allow', { ids: 'input_ids', mask: 'attention_mask', maxTokens: 129 }, /above limits/],
  ])('is refused for %s', async (_, tokenizer, problem) => {
    await expect(push({ name: 'misfit', tokenizer })).rejects.toMatchObject({
      code: 'manifest-invalid',
      facts: { problems: expect.arrayContaining([expect.stringMatching(problem)]) },
    });
  });

  it('is refused for a file that would hold everybody up', async () => {
    const hostile = wordPieceFile();
    hostile.normalizer = { type: 'Replace', pattern: { Regex: '(a+)+$' }, content: '' };
    await expect(push({ name: 'hostile' }, hostile)).rejects.toMatchObject({
      code: 'tokenizer-invalid',
      facts: { detail: expect.stringContaining('regular expression') },
    });
  });

  it('is refused for a tokenizer that is not the one of the model', async () => {
    await expect(push({ name: 'mistaken' }, wordPieceFile())).rejects.toMatchObject({ code: 'golden-mismatch' });
  });
});
