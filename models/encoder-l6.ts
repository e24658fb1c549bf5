import type { OnnxModel } from '../adapters/onnx/graph/messages.ts';
import { seededRandom } from '../core/seeded-random.ts';
import { type EncoderShape, encoderModel } from './encoder-graph.ts';
import type { GoldenTensor } from './golden.ts';
import { type ManifestFile, writeModelFolder } from './model-folder.ts';

/** The size of all-MiniLM-L6, but for a smaller vocabulary: 14 million weights, 56 MB. */
const SHAPE: EncoderShape = {
  layers: 6,
  hidden: 384,
  heads: 12,
  feedForward: 1536,
  vocabulary: 8192,
  positions: 512,
};

const WEIGHT_SEED = 7;
const TOKEN_SEED = 11;

export const ENCODER_L6_INPUTS = {
  input_ids: { min: 0, max: SHAPE.vocabulary - 1, pad: 0 },
  attention_mask: { min: 0, max: 1, pad: 0 },
};

const MANIFEST: ManifestFile = {
  name: 'encoder-l6',
  description:
    'Transformer encoder of 6 layers and 384 hidden units with random weights, for load: token ids and mask in, ' +
    'mean-pooled embedding of length 1 out.',
  license: 'Apache-2.0',
  provenance: 'Built by models/encoder-l6.ts from a seed; not trained on anything.',
  inputs: ENCODER_L6_INPUTS,
  // One thread of a 2-core virtual machine of 2024: 145 rows of 32 tokens a second one by one, 165 in pairs, 185 by 4, 200
  // by 8, 209 by 16, 196 by 32; rows of 128 tokens are best by 4. So 16 × 32 = 4 × 128 = 512 elements. It is
  // a model for bulk load: 16 rows at 209 a second take 77 ms, far above the default cap of 15 ms that interactive models want.
  batching: { maxRows: 64, maxPaddedElements: 512, maxBatchMs: 100 },
  // The largest request: 32 rows of 512 tokens, about 120 ms each there, end within 4 s.
  limits: { maxRows: 32, maxLength: SHAPE.positions },
  timeoutMs: 10_000,
  maxComputeMsPerRow: 200,
  tolerance: { absolute: 1e-4, relative: 1e-4 },
};

export function encoderL6Model(): OnnxModel {
  return encoderModel(SHAPE, WEIGHT_SEED);
}

/** Writes the folder of `encoder-l6`: model.onnx, manifest.json and golden.jsonl, the same model on every machine. */
export async function buildEncoderL6(folder: string): Promise<void> {
  await writeModelFolder(folder, {
    manifest: MANIFEST,
    model: encoderL6Model(),
    goldenInputs: [tokenBatch([1]), tokenBatch([32]), tokenBatch([5, 12, 48])],
  });
}

/** Random rows of these lengths, padded to the longest: what an infer request of `encoder-l6` holds. */
export function tokenBatch(lengths: readonly number[]): GoldenTensor[] {
  const random = seededRandom(TOKEN_SEED);
  const longest = Math.max(...lengths);
  const places = lengths.flatMap((length) => Array.from({ length: longest }, (_, at) => at < length));
  const tensor = (name: string, data: number[]): GoldenTensor => ({
    name,
    shape: [lengths.length, longest],
    datatype: 'INT64',
    data,
  });
  return [
    tensor(
      'input_ids',
      places.map((real) => (real ? Math.floor(random() * SHAPE.vocabulary) : 0)),
    ),
    tensor(
      'attention_mask',
      places.map((real) => (real ? 1 : 0)),
    ),
  ];
}
