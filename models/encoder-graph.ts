import type { OnnxModel } from '../adapters/onnx/graph/messages.ts';
import { seededRandom } from '../core/seeded-random.ts';
import { floatTensor, graphBuilder, int64Tensor, onnxModel, tensorValue } from './onnx/graph.ts';

export type EncoderShape = {
  readonly layers: number;
  readonly hidden: number;
  readonly heads: number;
  readonly feedForward: number;
  readonly vocabulary: number;
  /** Longest sequence; a longer one makes the run fail. */
  readonly positions: number;
};

/** What an attention score of a padded token becomes: exp(-10,000) is exactly 0 in float32. */
const MASKED_SCORE = -10_000;

type Builder = ReturnType<typeof graphBuilder>;
type Weights = (dims: readonly number[], spread: number) => string;

/**
 * A BERT-shaped encoder (Devlin et al. 2018, post-norm) with random weights of `seed`, in standard operators of opset 17,
 * arranged so that onnxruntime fuses GELU and the skip connections. int64 `input_ids` and `attention_mask`
 * (1 = token, 0 = padding), [batch, sequence], to float32 `embedding`, [batch, hidden]: the mean over unmasked tokens, of
 * length 1. A row without an unmasked token gives zeros.
 */
export function encoderModel(shape: EncoderShape, seed: number): OnnxModel {
  const builder = graphBuilder('encoder');
  const random = seededRandom(seed);
  const weights: Weights = (dims, spread) => {
    const values = new Float32Array(dims.reduce((product, dim) => product * dim, 1));
    for (let at = 0; at < values.length; at++) values[at] = (random() * 2 - 1) * spread;
    return builder.constant(floatTensor(dims, values), 'weight');
  };
  let hidden = embed(builder, shape, weights);
  const penalty = maskPenalty(builder);
  for (let layer = 0; layer < shape.layers; layer++) {
    const attended = attention(builder, shape, weights, { hidden, penalty });
    const normal = layerNorm(builder, shape, builder.op('Add', [attended, hidden]));
    hidden = layerNorm(builder, shape, builder.op('Add', [feedForward(builder, shape, weights, normal), normal]));
  }
  meanPool(builder, hidden);
  const tokens = ['batch', 'sequence'];
  const graph = builder.graph(
    [tensorValue('input_ids', 'int64', tokens), tensorValue('attention_mask', 'int64', tokens)],
    [tensorValue('embedding', 'float', ['batch', shape.hidden])],
  );
  return onnxModel(graph, { '': 17 }, `Encoder of ${shape.layers} layers with random weights, for load`);
}

/**
 * A token's place is how many unmasked tokens there are up to it, so that padding on either side moves nothing. It also keeps
 * the shape [batch, sequence] known to onnxruntime, without which it does not fuse the skip connections.
 */
function embed(builder: Builder, shape: EncoderShape, weights: Weights): string {
  const words = builder.op('Gather', [weights([shape.vocabulary, shape.hidden], 0.05), 'input_ids']);
  const axis = builder.constant(int64Tensor([], [1]));
  const place = builder.op('CumSum', ['attention_mask', axis]);
  const places = builder.op('Gather', [weights([shape.positions + 1, shape.hidden], 0.05), place]);
  return layerNorm(builder, shape, builder.op('Add', [words, places]));
}

/** 0 for a token and MASKED_SCORE for padding, as [batch, 1, 1, sequence]. */
function maskPenalty(builder: Builder): string {
  const one = builder.constant(int64Tensor([1], [1]));
  const two = builder.constant(int64Tensor([1], [2]));
  const wide = builder.op('Unsqueeze', [builder.op('Unsqueeze', ['attention_mask', one]), two]);
  const asFloat = builder.op('Cast', [wide], { to: 1 });
  const padded = builder.op('Sub', [builder.constant(floatTensor([], [1])), asFloat]);
  return builder.op('Mul', [padded, builder.constant(floatTensor([], [MASKED_SCORE]))]);
}

function linear(builder: Builder, weights: Weights, input: string, dims: readonly [number, number]): string {
  const product = builder.op('MatMul', [input, weights(dims, Math.sqrt(3 / dims[0]))]);
  return builder.op('Add', [product, weights([dims[1]], 0.02)]);
}

function attention(
  builder: Builder,
  shape: EncoderShape,
  weights: Weights,
  from: { readonly hidden: string; readonly penalty: string },
): string {
  const { heads, hidden } = shape;
  const split = builder.constant(int64Tensor([4], [0, 0, heads, hidden / heads]));
  const head = (perm: readonly number[]) =>
    builder.op('Transpose', [builder.op('Reshape', [linear(builder, weights, from.hidden, [hidden, hidden]), split])], {
      perm,
    });
  const query = head([0, 2, 1, 3]);
  const key = head([0, 2, 3, 1]);
  const value = head([0, 2, 1, 3]);
  const scale = builder.constant(floatTensor([], [Math.sqrt(hidden / heads)]));
  const scores = builder.op('Div', [builder.op('MatMul', [query, key]), scale]);
  const shares = builder.op('Softmax', [builder.op('Add', [scores, from.penalty])], { axis: 3 });
  const mixed = builder.op('Transpose', [builder.op('MatMul', [shares, value])], { perm: [0, 2, 1, 3] });
  const joined = builder.op('Reshape', [mixed, builder.constant(int64Tensor([3], [0, 0, hidden]))]);
  return linear(builder, weights, joined, [hidden, hidden]);
}

/** GELU as in the paper: x / 2 × (1 + erf(x / √2)). */
function feedForward(builder: Builder, shape: EncoderShape, weights: Weights, input: string): string {
  const inner = linear(builder, weights, input, [shape.hidden, shape.feedForward]);
  const scalar = (value: number) => builder.constant(floatTensor([], [value]));
  const erf = builder.op('Erf', [builder.op('Div', [inner, scalar(Math.SQRT2)])]);
  const gelu = builder.op('Mul', [builder.op('Mul', [inner, builder.op('Add', [erf, scalar(1)])]), scalar(0.5)]);
  return linear(builder, weights, gelu, [shape.feedForward, shape.hidden]);
}

function layerNorm(builder: Builder, shape: EncoderShape, input: string): string {
  const scale = builder.constant(floatTensor([shape.hidden], new Float32Array(shape.hidden).fill(1)));
  const bias = builder.constant(floatTensor([shape.hidden], new Float32Array(shape.hidden)));
  return builder.op('LayerNormalization', [input, scale, bias], { axis: -1, epsilon: { float: 1e-12 } });
}

/** The least divisor keeps a row without tokens at zero instead of NaN. */
function meanPool(builder: Builder, hidden: string): void {
  const axis = (at: number) => builder.constant(int64Tensor([1], [at]));
  const asFloat = builder.op('Cast', ['attention_mask'], { to: 1 });
  const kept = builder.op('Mul', [hidden, builder.op('Unsqueeze', [asFloat, axis(2)])]);
  const sum = builder.op('ReduceSum', [kept, axis(1)], { keepdims: 0 });
  const length = builder.op('ReduceL2', [sum], { axes: [1], keepdims: 1 });
  const least = builder.constant(floatTensor([], [1e-9]));
  builder.opTo(['embedding'], 'Div', [sum, builder.op('Max', [length, least])]);
}
