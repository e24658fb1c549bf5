import { join } from 'node:path';
import { buildEncoderL6, tokenBatch } from './encoder-l6.ts';
import { buildEncoderL6Int8 } from './encoder-l6-int8.ts';
import { bytesTensor, type GoldenTensor } from './golden.ts';
import { buildItemRecommender, rankingOf } from './item-recommender.ts';
import { buildRowSum } from './row-sum.ts';
import { buildTextEncoder } from './text-encoder.ts';

/** Where a sample's folder comes from: it lies in this repository, or is built (again when `recipe` changes). */
type SampleSource =
  | { readonly kind: 'committed'; readonly folder: string }
  | { readonly kind: 'built'; readonly recipe: number; readonly build: (folder: string) => Promise<void> };

export type SampleModel = {
  readonly name: SampleName;
  /** One line for people. */
  readonly summary: string;
  readonly source: SampleSource;
  /** A request body for `POST /v2/models/{name}/infer`. */
  readonly example: { readonly inputs: readonly GoldenTensor[] };
};

export type SampleName =
  | 'ticket-sentiment'
  | 'encoder-l6'
  | 'encoder-l6-int8'
  | 'row-sum'
  | 'ticket-intent'
  | 'text-encoder'
  | 'item-recommender';

/** Raise a recipe with every change to what its builder writes: caches are keyed by it. */
export const SAMPLE_MODELS: readonly SampleModel[] = [
  {
    name: 'ticket-sentiment',
    summary: 'Text in, negative, neutral or positive out: TF-IDF and logistic regression trained on GoEmotions',
    source: { kind: 'committed', folder: join(import.meta.dirname, 'ticket-sentiment') },
    example: { inputs: [bytesTensor('text', ['The new dashboard is great, thank you!'])] },
  },
  {
    name: 'encoder-l6',
    summary: 'Token ids in, embedding of 384 numbers out: a transformer of 6 layers with random weights, for load',
    source: { kind: 'built', recipe: 3, build: buildEncoderL6 },
    example: { inputs: tokenBatch([8]) },
  },
  {
    name: 'row-sum',
    summary: 'Four numbers in, their sum out: the cost of the platform itself',
    source: { kind: 'built', recipe: 1, build: buildRowSum },
    example: { inputs: [{ name: 'x', shape: [1, 4], datatype: 'FP32', data: [1, 2, 3, 4] }] },
  },
  {
    name: 'ticket-intent',
    summary:
      'Text in, one of 77 wishes of a customer of a bank out: TF-IDF and logistic regression trained on banking77',
    source: { kind: 'committed', folder: join(import.meta.dirname, 'ticket-intent') },
    example: { inputs: [bytesTensor('text', ['My new card has still not arrived, where is it?'])] },
  },
  {
    name: 'text-encoder',
    summary:
      'Text in, embedding of 128 numbers out: tokenized by its tokenizer.json, a transformer with random weights',
    source: { kind: 'built', recipe: 1, build: buildTextEncoder },
    example: { inputs: [bytesTensor('text', ['Where is my new card?'])] },
  },
  {
    name: 'item-recommender',
    summary: 'A user and items in, how well each suits out: embeddings and a small network with random weights',
    source: { kind: 'built', recipe: 1, build: buildItemRecommender },
    example: { inputs: rankingOf(42, [1, 2, 3, 5, 8]) },
  },
  {
    name: 'encoder-l6-int8',
    summary: 'encoder-l6 in 8-bit integers: faster, smaller, and a row depends a little on the rows beside it',
    source: { kind: 'built', recipe: 1, build: buildEncoderL6Int8 },
    example: { inputs: tokenBatch([8]) },
  },
];

/** Throws if there is no sample of this name. */
export function sampleModel(name: string): SampleModel {
  const found = SAMPLE_MODELS.find((sample) => sample.name === name);
  if (found === undefined) {
    throw new Error(`no sample model ${name}; there are ${SAMPLE_MODELS.map((sample) => sample.name).join(', ')}`);
  }
  return found;
}
