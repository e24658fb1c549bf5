import type { OnnxModel, OnnxType, OnnxValue } from '../adapters/onnx/graph/messages.ts';
import { graphBuilder, onnxModel, tensorValue } from './onnx/graph.ts';

/** TensorProto.DataType. */
const FLOAT = 1;
const INT64 = 7;
const STRING = 8;

const CLASSES = { strings: ['cancel', 'refund', 'upgrade'], int64s: [10, 20, 30] };

export type ClassifierOptions = {
  readonly labels: keyof typeof CLASSES;
  readonly zipMap: boolean;
  /** Leaves the standard operators out of the opsets, as converters of tree models do. */
  readonly mlOnly?: boolean;
};

/**
 * What skl2onnx makes of a logistic regression: `float_input` FP32 [N, 4] to `output_label` [N] and `output_probability`, the latter by
 * way of a ZipMap as maps from class to number, or without it as FP32 [N, 3].
 */
export function sklearnClassifier({ labels, zipMap, mlOnly = false }: ClassifierOptions): OnnxModel {
  const builder = graphBuilder('sklearn');
  const classes = CLASSES[labels];
  const attributes = {
    coefficients: Float32Array.from({ length: 12 }, (_, at) => Math.sin(at * 7)),
    intercepts: new Float32Array([0.1, -0.2, 0.3]),
    post_transform: 'SOFTMAX',
    [labels === 'strings' ? 'classlabels_strings' : 'classlabels_ints']: classes,
  };
  const outputs = ['output_label', zipMap ? 'probability_tensor' : 'output_probability'];
  builder.opTo(outputs, 'LinearClassifier', ['float_input'], attributes, 'ai.onnx.ml');
  const named = { [`classlabels_${labels}`]: classes };
  if (zipMap) builder.opTo(['output_probability'], 'ZipMap', ['probability_tensor'], named, 'ai.onnx.ml');
  const probabilities: OnnxValue = zipMap
    ? { name: 'output_probability', type: sequenceOfMaps(labels) }
    : tensorValue('output_probability', 'float', ['N', 3]);
  const graph = builder.graph(
    [tensorValue('float_input', 'float', ['N', 4])],
    [tensorValue('output_label', labels === 'strings' ? 'string' : 'int64', ['N']), probabilities],
  );
  return onnxModel(
    graph,
    mlOnly ? { 'ai.onnx.ml': 1 } : { '': 17, 'ai.onnx.ml': 3 },
    'A classifier as of scikit-learn',
  );
}

function sequenceOfMaps(labels: ClassifierOptions['labels']): OnnxType {
  const valueType = { tensorType: { elemType: FLOAT } };
  return { sequenceType: { elemType: { mapType: { keyType: labels === 'strings' ? STRING : INT64, valueType } } } };
}
