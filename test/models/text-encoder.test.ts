import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Tokenizer as Library } from '@huggingface/tokenizers';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parseTokenizer } from '../../adapters/tokenizers/tokenizer-file.ts';
import { manifestSchema } from '../../core/models/manifest.ts';
import { tokenizerProblems } from '../../core/models/tokenized-signature.ts';
import { bytesTensor, openSession, runModel } from '../../models/golden.ts';
import { learnWordPieces, SPECIAL_TOKENS } from '../../models/text/word-pieces.ts';
import { buildTextEncoder, VOCABULARY_FILE } from '../../models/text-encoder.ts';
import { trainTextEncoder } from '../../models/train.ts';
import { checkGolden, graphInputs, SHARED_FOLDER } from './golden-check.ts';

const DATA = join(SHARED_FOLDER, 'data', 'banking77');
const dataMissing = !existsSync(join(DATA, 'train.csv'));
if (dataMissing) console.warn(`skipping what needs banking77: ${DATA} is not there`);

let folder: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-encoder-'));
  await buildTextEncoder(folder);
});
afterAll(() => rmSync(folder, { recursive: true }));

test('the folder is a valid push: the manifest fits the graph, texts give the golden embeddings', async () => {
  const manifest = manifestSchema.parse(JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8')));
  const tokens = ['batch', 'sequence'];
  const inputs = ['input_ids', 'attention_mask'].map((name) => ({ name, datatype: 'INT64' as const, shape: tokens }));
  expect(tokenizerProblems(manifest, { inputs, outputs: [] })).toEqual([]);
  expect(await checkGolden(folder)).toEqual({ pairs: 5, misses: [] });
  expect(statSync(join(folder, 'model.onnx')).size).toBeLessThan(3 * 1024 * 1024);
});

test('it is the same whenever it is built', async () => {
  const again = mkdtempSync(join(tmpdir(), 'sluice-encoder-'));
  try {
    await buildTextEncoder(again);
    for (const file of ['model.onnx', 'tokenizer.json', 'manifest.json']) {
      expect(Buffer.compare(readFileSync(join(folder, file)), readFileSync(join(again, file))), file).toBe(0);
    }
  } finally {
    rmSync(again, { recursive: true });
  }
});

test('texts of any kind get the ids that the library gives them, in the vocabulary', () => {
  const bytes = readFileSync(join(folder, 'tokenizer.json'));
  const tokenizer = parseTokenizer(bytes);
  const library = new Library(JSON.parse(bytes.toString()), {}) as { encode(text: string): { ids: number[] } };
  const words = fc.constantFrom(
    'card',
    'Payment',
    'unhappily',
    'é',
    '[SEP]',
    '##s',
    '!',
    '谢',
    '👍',
    'x'.repeat(120),
    ' ',
  );
  const texts = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.array(words).map((each) => each.join(' ')),
  );
  const size = readFileSync(VOCABULARY_FILE, 'utf8').trimEnd().split('\n').length;
  fc.assert(
    fc.property(texts, (text) => {
      const ids = tokenizer.encode(text);
      expect(ids).toEqual(library.encode(text.toWellFormed()).ids);
      expect(ids.every((id) => id >= 0 && id < size)).toBe(true);
    }),
  );
});

test('a text has one embedding of length 1, whatever the texts beside it; another text has another', async () => {
  const session = await openSession(join(folder, 'model.onnx'));
  const toGraph = graphInputs(folder, session);
  const embed = async (...texts: string[]) => {
    const flat = (await runModel(session, toGraph([bytesTensor('text', texts)])))[0]!.data as number[];
    return texts.map((_, row) => flat.slice(row * 128, row * 128 + 128));
  };
  const [alone] = await embed('Where is my card?');
  const [together, other] = await embed('Where is my card?', 'a much longer text '.repeat(20));
  expect(Math.hypot(...alone!)).toBeCloseTo(1, 5);
  for (const [at, value] of alone!.entries()) expect(together![at]).toBeCloseTo(value, 5);
  expect(Math.max(...alone!.map((value, at) => Math.abs(value - other![at]!)))).toBeGreaterThan(0.01);
  await session.release();
});

test('word pieces: special tokens first, whole words by frequency, then what others begin and end with', () => {
  const texts = ['Pay the card', 'the card, the fee', 'paying', 'playing'];
  const pieces = learnWordPieces(texts, { words: 2, beginnings: 1, endings: 1 });
  expect(pieces.slice(0, 4)).toEqual(SPECIAL_TOKENS);
  expect(pieces.slice(-3)).toEqual(['the', 'card', 'pa']);
  expect(pieces).toContain('##ing');
  expect(new Set(pieces).size).toBe(pieces.length);
  expect(learnWordPieces(texts.toReversed(), { words: 2, beginnings: 1, endings: 1 })).toEqual(pieces);
});

test.skipIf(dataMissing)('learning the vocabulary again gives the committed file to the byte', async () => {
  const again = mkdtempSync(join(tmpdir(), 'sluice-vocabulary-'));
  try {
    await trainTextEncoder(DATA, again);
    expect(readFileSync(join(again, 'vocabulary.txt'), 'utf8')).toBe(readFileSync(VOCABULARY_FILE, 'utf8'));
  } finally {
    rmSync(again, { recursive: true });
  }
});
