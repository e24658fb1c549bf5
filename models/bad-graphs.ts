import type { OnnxGraph, OnnxModel } from '../adapters/onnx/graph/messages.ts';
import { floatTensor, graphBuilder, int64Tensor, onnxModel, tensorValue } from './onnx/graph.ts';

const FLOAT = 1;
const ROW = ['batch', 4];

function rowsIn(graph: (builder: ReturnType<typeof graphBuilder>) => void, docString: string): OnnxModel {
  const builder = graphBuilder('rows');
  graph(builder);
  return onnxModel(
    builder.graph([tensorValue('x', 'float', ROW)], [tensorValue('y', 'float', ['batch', 1])]),
    { '': 17 },
    docString,
  );
}

/** `x` FP32 [batch, 4] to their sum `y` [batch, 1]. */
export function sumModel(): OnnxModel {
  return rowsIn((builder) => {
    builder.opTo(['y'], 'ReduceSum', ['x', builder.constant(int64Tensor([1], [1]))]);
  }, 'The sum of a row');
}

/** As `sumModel`, but for `y`: always 0.5. */
export function constantModel(): OnnxModel {
  return rowsIn((builder) => {
    const sum = builder.op('ReduceSum', ['x', builder.constant(int64Tensor([1], [1]))]);
    const nothing = builder.op('Mul', [builder.op('Tanh', [sum]), builder.constant(floatTensor([], [0]))]);
    builder.opTo(['y'], 'Add', [nothing, builder.constant(floatTensor([], [0.5]))]);
  }, 'Half, whatever is asked');
}

/** As `sumModel`, of numbers rounded to sevenths of the largest in the run. */
export function coarseSumModel(): OnnxModel {
  return rowsIn((builder) => {
    const largest = builder.op('ReduceMax', [builder.op('Abs', ['x'])], { keepdims: 0 });
    const step = builder.op('Div', [
      builder.op('Max', [largest, builder.constant(floatTensor([], [1e-9]))]),
      builder.constant(floatTensor([], [7])),
    ]);
    const rounded = builder.op('Mul', [builder.op('Round', [builder.op('Div', ['x', step])]), step]);
    builder.opTo(['y'], 'ReduceSum', [rounded, builder.constant(int64Tensor([1], [1]))]);
  }, 'The sum of a row, quantized over the whole run');
}

/** As `sumModel`, by an operator that nobody has. */
export function unknownOperatorModel(): OnnxModel {
  return rowsIn((builder) => {
    builder.opTo(['y'], 'FancySum', ['x'], {}, 'com.example');
  }, 'The sum of a row, by an operator of our own');
}

/** As `sumModel`, weighted by numbers that are said to lie in a file of somebody else. */
export function externalDataModel(location: string): OnnxModel {
  const model = rowsIn((builder) => {
    builder.opTo(['y'], 'MatMul', ['x', 'weights']);
  }, 'The weighted sum of a row');
  const weights = {
    name: 'weights',
    dims: [4, 1],
    dataType: FLOAT,
    dataLocation: 1,
    externalData: [{ key: 'location', value: location }],
  };
  return { ...model, graph: { ...model.graph, initializer: [weights] } };
}

/** As `sumModel`, and if a sum is greater than zero it adds nothing to it for ever. */
export function endlessModel(): OnnxModel {
  return rowsIn((builder) => {
    const sum = builder.op('ReduceSum', ['x', builder.constant(int64Tensor([1], [1]))]);
    const goesOn = builder.op('Greater', [
      builder.op('ReduceMax', [sum], { keepdims: 0 }),
      builder.constant(floatTensor([], [0])),
    ]);
    builder.opTo(['y'], 'Loop', ['', goesOn, sum], { body: { graph: endlessBody() } });
  }, 'The sum of a row, if it is not greater than zero');
}

function endlessBody(): OnnxGraph {
  const body = graphBuilder('endless_body', 'body_');
  body.opTo(['body_again'], 'Identity', ['body_go']);
  body.opTo(['body_next'], 'Identity', ['body_value']);
  const value = (name: string) => tensorValue(name, 'float', ['batch', 1]);
  const inputs = [tensorValue('body_round', 'int64', []), tensorValue('body_go', 'bool', []), value('body_value')];
  return body.graph(inputs, [tensorValue('body_again', 'bool', []), value('body_next')]);
}

/** `n` INT64 [batch] to `y` FP32 [batch], -2^63 / n, 0 taken as 1: for -1 the processor traps, for 2^63 is no int64. */
export function crashingModel(): OnnxModel {
  const builder = graphBuilder('crash');
  const isZero = builder.op('Equal', ['n', builder.constant(int64Tensor([], [0]))]);
  const divisor = builder.op('Where', [isZero, builder.constant(int64Tensor([], [1])), 'n']);
  const quotient = builder.op('Div', [builder.constant(int64Tensor([], [-(2n ** 63n)])), divisor]);
  builder.opTo(['y'], 'Cast', [quotient], { to: FLOAT });
  const graph = builder.graph([tensorValue('n', 'int64', ['batch'])], [tensorValue('y', 'float', ['batch'])]);
  return onnxModel(graph, { '': 17 }, 'Division of the least integer');
}

/** `x` FP32 [batch, 4] to `parts`, a sequence of as many tensors as there are rows. */
export function sequenceModel(): OnnxModel {
  const builder = graphBuilder('parts');
  builder.opTo(['parts'], 'SplitToSequence', ['x']);
  const type = { sequenceType: { elemType: { tensorType: { elemType: FLOAT } } } };
  const graph = builder.graph([tensorValue('x', 'float', ROW)], [{ name: 'parts', type }]);
  return onnxModel(graph, { '': 17 }, 'Rows one by one');
}
