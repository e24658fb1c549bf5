import { writeModel } from '../../adapters/onnx/graph/codec.ts';
import { floatTensor, graphBuilder, int64Tensor, onnxModel, tensorValue } from '../../models/onnx/graph.ts';
import type { ModelFiles } from './bad-models.ts';

type Builder = ReturnType<typeof graphBuilder>;

const WIDTH = 4;

/** `x` FP32 [batch, 4] to `y` of the same shape, by the operators that `build` adds from `x` to the value that it names. */
function floatModel(
  name: string,
  build: (builder: Builder) => string,
  manifest: Partial<ModelFiles['manifest']> = {},
): ModelFiles {
  const builder = graphBuilder(name);
  builder.opTo(['y'], 'Identity', [build(builder)]);
  const graph = builder.graph(
    [tensorValue('x', 'float', ['batch', WIDTH])],
    [tensorValue('y', 'float', ['batch', WIDTH])],
  );
  return { model: writeModel(onnxModel(graph, { '': 17 }, name)), manifest: { name, ...manifest }, golden: '' };
}

/** Half of the mean over the rows of the run is taken off: normalization over the batch, left in training mode. */
export function centredOnRun(): ModelFiles {
  return floatModel('centred-on-run', (builder) => {
    const mean = builder.op('ReduceMean', ['x'], { axes: [0], keepdims: 1 });
    return builder.op('Sub', ['x', builder.op('Mul', [mean, builder.constant(floatTensor([], [0.5]))])]);
  });
}

/** As dynamic INT8 quantization does: 256 steps between the least and the greatest value of the whole run. */
export function quantizedByRun(): ModelFiles {
  return floatModel('quantized-by-run', (builder) => {
    builder.opTo(['quantized', 'scale', 'zero'], 'DynamicQuantizeLinear', ['x']);
    return builder.op('DequantizeLinear', ['quantized', 'scale', 'zero']);
  });
}

/** Multiplied by 1 + rows / 100. */
export function countingRows(): ModelFiles {
  return floatModel('counting-rows', (builder) => {
    const rows = builder.op('Cast', [builder.op('Shape', ['x'], { start: 0, end: 1 })], { to: 1 });
    const part = builder.op('Div', [rows, builder.constant(floatTensor([1], [100]))]);
    return builder.op('Mul', ['x', builder.op('Add', [part, builder.constant(floatTensor([1], [1]))])]);
  });
}

/** 0 × the greatest value of the run is added: nothing, unless that is not finite. NaN and infinities are allowed. */
export function spreadingNaN(): ModelFiles {
  const manifest = { inputs: { x: { allowNotFinite: true } } };
  return floatModel(
    'spreading-nan',
    (builder) => {
      const most = builder.op('ReduceMax', ['x'], { keepdims: 0 });
      return builder.op('Add', ['x', builder.op('Mul', [most, builder.constant(floatTensor([], [0]))])]);
    },
    manifest,
  );
}

/** Takes 64 MB for the greatest `n` that its manifest allows: `n` INT64 [batch] to `y` FP32 [batch], n itself. */
export function hungry(): ModelFiles {
  const builder = graphBuilder('hungry');
  const most = builder.op('ReduceMax', ['n'], { keepdims: 0 });
  const shape = builder.op('Unsqueeze', [most, builder.constant(int64Tensor([1], [0]))]);
  const zero = builder.op('ReduceMax', [builder.op('ConstantOfShape', [shape])], { keepdims: 0 });
  builder.opTo(['y'], 'Add', [builder.op('Cast', ['n'], { to: 1 }), zero]);
  const graph = builder.graph([tensorValue('n', 'int64', ['batch'])], [tensorValue('y', 'float', ['batch'])]);
  return {
    model: writeModel(onnxModel(graph, { '': 17 }, 'hungry')),
    manifest: { name: 'hungry', inputs: { n: { min: 1, max: 16_000_000 } } },
    golden: '',
  };
}

/** `text` BYTES [batch] to the same `echo`; an empty text kills the process. */
export function crashOnEmptyText(): ModelFiles {
  const builder = graphBuilder('empty_text');
  const int64 = (value: number | bigint) => builder.constant(int64Tensor([], [value]));
  const isEmpty = builder.op('Equal', [
    'text',
    builder.constant({ dims: [], dataType: 8, stringData: [new Uint8Array(0)] }),
  ]);
  const divisor = builder.op('Where', [isEmpty, int64(-1), int64(1)]);
  builder.opTo(['y'], 'Cast', [builder.op('Div', [int64(-(2n ** 63n)), divisor])], { to: 1 });
  builder.opTo(['echo'], 'Identity', ['text']);
  const graph = builder.graph(
    [tensorValue('text', 'string', ['batch'])],
    [tensorValue('echo', 'string', ['batch']), tensorValue('y', 'float', ['batch'])],
  );
  return {
    model: writeModel(onnxModel(graph, { '': 19 }, 'empty-text')),
    manifest: { name: 'empty-text' },
    golden: '',
  };
}
