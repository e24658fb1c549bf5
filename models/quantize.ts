import type { OnnxModel, OnnxNode, OnnxTensor } from '../adapters/onnx/graph/messages.ts';
import { floatTensor, int8Tensor } from './onnx/graph.ts';

/**
 * Weights in 7 bits: processors without VNNI add two products of 8 bits each in 16, and 255 × 127 × 2 overflows there, while
 * 255 × 64 × 2 = 32,640 does not. So every processor computes the same integers.
 */
const LARGEST = 63;
const FLOAT = 1;

/**
 * The model with each MatMul by a constant matrix computed in integers (onnxruntime's dynamic quantization): the matrix once, in int8 with
 * a scale for every column; what is multiplied with it in every run, in uint8 with one scale for all of it. So an answer depends
 * on what else is in the run. All other operators stay in FP32.
 */
export function quantizeDynamically(model: OnnxModel): OnnxModel {
  const graph = model.graph ?? {};
  const matrices = new Map((graph.initializer ?? []).flatMap((each) => (isMatrix(each) ? [[each.name!, each]] : [])));
  const quantized = new Map<string, readonly OnnxTensor[]>();
  const activations = new Set<string>();
  const node = (graph.node ?? []).flatMap((each) => {
    const [input = '', weight = ''] = each.input ?? [];
    const matrix = each.opType === 'MatMul' ? matrices.get(weight) : undefined;
    if (matrix === undefined) return [each];
    if (!quantized.has(weight)) quantized.set(weight, quantizeColumns(matrix));
    const scaling = activations.has(input) ? [] : [quantizeActivation(input)];
    activations.add(input);
    return [...scaling, ...integerProduct(each, input, weight)];
  });
  const initializer = (graph.initializer ?? []).flatMap((each) => quantized.get(each.name ?? '') ?? [each]);
  return { ...model, graph: { ...graph, node, initializer } };
}

function isMatrix({ name, dims = [], dataType, rawData }: OnnxTensor): boolean {
  return name !== undefined && dims.length === 2 && dataType === FLOAT && rawData !== undefined;
}

function quantizeActivation(input: string): OnnxNode {
  const output = [`${input}_uint8`, `${input}_scale`, `${input}_zero`];
  return { input: [input], output, name: `${input}_quantize`, opType: 'DynamicQuantizeLinear' };
}

/** The chain that onnxruntime fuses into one operator. */
function integerProduct({ output: [output = ''] = [] }: OnnxNode, input: string, weight: string): OnnxNode[] {
  const op = (opType: string, inputs: string[], to: string): OnnxNode => ({
    input: inputs,
    output: [to],
    name: `${to}_node`,
    opType,
  });
  const cast = op('Cast', [`${output}_int32`], `${output}_float`);
  return [
    op('MatMulInteger', [`${input}_uint8`, `${weight}_int8`, `${input}_zero`], `${output}_int32`),
    { ...cast, attribute: [{ name: 'to', i: BigInt(FLOAT), type: 2 }] },
    op('Mul', [`${input}_scale`, `${weight}_scale`], `${output}_scale`),
    op('Mul', [`${output}_float`, `${output}_scale`], output),
  ];
}

/** int8 with the largest of a column at 63, and the scales. */
function quantizeColumns({ name, dims = [], rawData = new Uint8Array() }: OnnxTensor): readonly OnnxTensor[] {
  const [rows = 0, columns = 0] = dims;
  const weights = new Float32Array(rawData.slice().buffer);
  const scales = new Float32Array(columns);
  for (let at = 0; at < weights.length; at += 1) {
    const column = at % columns;
    scales[column] = Math.max(scales[column]!, Math.abs(weights[at]!));
  }
  for (let column = 0; column < columns; column += 1) scales[column]! /= LARGEST;
  const integers = Int8Array.from(weights, (weight, at) => {
    const scale = scales[at % columns]!;
    return scale === 0 ? 0 : Math.round(weight / scale);
  });
  return [
    { ...int8Tensor([rows, columns], integers), name: `${name}_int8` },
    { ...floatTensor([columns], scales), name: `${name}_scale` },
  ];
}
