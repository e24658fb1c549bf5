import type { OnnxModel } from '../adapters/onnx/graph/messages.ts';
import { seededRandom } from '../core/seeded-random.ts';
import type { GoldenTensor } from './golden.ts';
import { type ManifestFile, writeModelFolder } from './model-folder.ts';
import { floatTensor, graphBuilder, int64Tensor, onnxModel, tensorValue } from './onnx/graph.ts';

const USERS = 10_000;
const ITEMS = 5000;
const WIDTH = 32;
/** From both embeddings to one number. */
const LAYERS = [2 * WIDTH, 64, 32, 1];
const WEIGHT_SEED = 23;

const MANIFEST: ManifestFile = {
  name: 'item-recommender',
  description:
    'How well an item suits a user, from 0 to 1: embeddings of both and a small network, with random weights.',
  license: 'Apache-2.0',
  provenance: 'Built by models/item-recommender.ts from a seed; not trained on anything.',
  // An id outside fails the whole run in onnxruntime, whoever the other rows are of, and -1 silently means the last one.
  inputs: { user_id: { min: 0, max: USERS - 1 }, item_id: { min: 0, max: ITEMS - 1 } },
  batching: { maxRows: 1024 },
  limits: { maxRows: 1024 },
  timeoutMs: 1000,
  maxComputeMsPerRow: 1,
};

/** Writes the folder of `item-recommender`: model.onnx, manifest.json and golden.jsonl, the same model on every machine. */
export async function buildItemRecommender(folder: string): Promise<void> {
  await writeModelFolder(folder, {
    manifest: MANIFEST,
    model: itemRecommender(),
    goldenInputs: [
      rankingOf(0, [0]),
      rankingOf(USERS - 1, [ITEMS - 1]),
      rankingOf(42, [1, 2, 3, 5, 8, 13, 21, 34, 55, 89]),
      [ids('user_id', [1, 22, 333, 4444]), ids('item_id', [4444, 333, 22, 1])],
    ],
  });
}

/** What an infer request holds that asks how well these items suit one user. */
export function rankingOf(user: number, items: readonly number[]): GoldenTensor[] {
  return [
    ids(
      'user_id',
      items.map(() => user),
    ),
    ids('item_id', items),
  ];
}

function ids(name: string, data: readonly number[]): GoldenTensor {
  return { name, shape: [data.length], datatype: 'INT64', data };
}

/** int64 `user_id` and `item_id`, [batch], to float32 `score`, [batch]. */
function itemRecommender(): OnnxModel {
  const builder = graphBuilder('item_recommender');
  const random = seededRandom(WEIGHT_SEED);
  const weights = (dims: readonly number[], spread: number) => {
    const values = Float32Array.from({ length: dims.reduce((a, b) => a * b) }, () => (random() * 2 - 1) * spread);
    return builder.constant(floatTensor(dims, values), 'weight');
  };
  const user = builder.op('Gather', [weights([USERS, WIDTH], 1), 'user_id']);
  const item = builder.op('Gather', [weights([ITEMS, WIDTH], 1), 'item_id']);
  let hidden = builder.op('Concat', [user, item], { axis: 1 });
  for (let layer = 1; layer < LAYERS.length; layer += 1) {
    const dims = [LAYERS[layer - 1]!, LAYERS[layer]!] as const;
    // He et al. 2015: uniform within √(6 / inputs) keeps the spread of what a ReLU passes on.
    const product = builder.op('MatMul', [hidden, weights(dims, Math.sqrt(6 / dims[0]))]);
    const sum = builder.op('Add', [product, weights([dims[1]], 0.1)]);
    hidden = builder.op(layer < LAYERS.length - 1 ? 'Relu' : 'Sigmoid', [sum]);
  }
  builder.opTo(['score'], 'Squeeze', [hidden, builder.constant(int64Tensor([1], [1]))]);
  const graph = builder.graph(
    [tensorValue('user_id', 'int64', ['batch']), tensorValue('item_id', 'int64', ['batch'])],
    [tensorValue('score', 'float', ['batch'])],
  );
  return onnxModel(graph, { '': 17 }, 'How well an item suits a user, with random weights');
}
