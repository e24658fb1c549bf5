import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Tokenizer } from '@huggingface/tokenizers';
import type { Tensor } from '../core/inference/tensor.ts';
import { compileTokenizing } from '../core/inference/tokenize.ts';
import { manifestSchema } from '../core/models/manifest.ts';
import { type EncoderShape, encoderModel } from './encoder-graph.ts';
import { bytesTensor, type GoldenTensor } from './golden.ts';
import { type ManifestFile, writeModelFolder } from './model-folder.ts';
import { learnWordPieces, wordPieceTokenizer } from './text/word-pieces.ts';

/** One token a line, in order of id. */
export const VOCABULARY_FILE = join(import.meta.dirname, 'text-encoder', 'vocabulary.txt');

const SIZES = { words: 1400, beginnings: 200, endings: 200 };
const WEIGHT_SEED = 17;
const MOST_TOKENS = 128;

/** Small: what it shows is text on its way to a model, not what a model knows. */
const SHAPE: Omit<EncoderShape, 'vocabulary'> = {
  layers: 2,
  hidden: 128,
  heads: 4,
  feedForward: 512,
  positions: MOST_TOKENS,
};

function manifestFor(tokens: number): ManifestFile {
  return {
    name: 'text-encoder',
    description:
      'Transformer encoder of 2 layers and 128 hidden units with random weights: text in, tokenized by its own tokenizer.json, ' +
      'mean-pooled embedding of length 1 out.',
    license: 'CC-BY-4.0',
    provenance:
      'Built by models/text-encoder.ts from a seed; the vocabulary is of banking77 (PolyAI-LDN/task-specific-datasets, CC-BY-4.0).',
    // A token of this vocabulary is three characters of English: 1,000 fill the 128 tokens twice over.
    inputs: {
      text: { maxLength: 1000 },
      input_ids: { min: 0, max: tokens - 1, pad: 0 },
      attention_mask: { min: 0, max: 1, pad: 0 },
    },
    tokenizer: { input: 'text', ids: 'input_ids', mask: 'attention_mask', maxTokens: MOST_TOKENS, longTexts: 'cut' },
    limits: { maxRows: 64, maxLength: MOST_TOKENS },
    timeoutMs: 5000,
    maxComputeMsPerRow: 20,
    tolerance: { absolute: 1e-4, relative: 1e-4 },
  };
}

const GOLDEN_TEXTS = [
  ['Where is my new card?'],
  [
    'I was charged twice for one transfer!',
    'Top up',
    '',
    'Please cancel the payment that I made to the wrong account yesterday.',
  ],
  ['¿Dónde está mi tarjeta? 👍 谢谢 — ÉTÉ'],
  ['supercalifragilisticexpialidocious [SEP] zzz'],
  ['The exchange rate is wrong. '.repeat(35)],
];

/** The vocabulary of the texts, as the lines of `VOCABULARY_FILE`. */
export function learnVocabulary(texts: readonly string[]): string {
  return `${learnWordPieces(texts, SIZES).join('\n')}\n`;
}

/** Writes the folder of `text-encoder`: manifest.json, model.onnx, tokenizer.json and golden.jsonl (texts in), the same on every machine. */
export async function buildTextEncoder(folder: string): Promise<void> {
  const vocabulary = readFileSync(VOCABULARY_FILE, 'utf8').trimEnd().split('\n');
  const tokenizer = wordPieceTokenizer(vocabulary);
  const manifest = manifestFor(vocabulary.length);
  await writeModelFolder(folder, {
    manifest,
    model: encoderModel({ ...SHAPE, vocabulary: vocabulary.length }, WEIGHT_SEED),
    goldenInputs: GOLDEN_TEXTS.map((texts) => [bytesTensor('text', texts)]),
    toGraph: graphInputs(manifest, tokenizer),
  });
  writeFileSync(join(folder, 'tokenizer.json'), `${JSON.stringify(tokenizer)}\n`);
}

/** Tokenized with the library as it is. */
function graphInputs(manifest: ManifestFile, file: object): (inputs: readonly GoldenTensor[]) => GoldenTensor[] {
  const library: { encode(text: string): { ids: number[] } } = new Tokenizer(file, {});
  const shape = ['batch', 'sequence'];
  const names = ['input_ids', 'attention_mask'];
  const graph = { inputs: names.map((name) => ({ name, datatype: 'INT64' as const, shape })), outputs: [] };
  const tokenize = compileTokenizing(manifestSchema.parse(manifest), graph, {
    encode: (text) => library.encode(text.toWellFormed()).ids,
  });
  return (inputs) => tokenize(inputs.map(toTensor)).map(toGolden);
}

function toTensor(tensor: GoldenTensor): Tensor {
  if (tensor.datatype !== 'BYTES') throw new Error(`${tensor.name}: a text is expected`);
  return { ...tensor, data: [...tensor.data] };
}

function toGolden({ name, shape, data }: Tensor): GoldenTensor {
  return { name, shape, datatype: 'INT64', data: Array.from(data as BigInt64Array, Number) };
}
