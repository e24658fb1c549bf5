import { writeModel } from '../../adapters/onnx/graph/codec.ts';
import type { OnnxGraph } from '../../adapters/onnx/graph/messages.ts';
import type { ManifestFile } from '../../models/model-folder.ts';
import { boolTensor, floatTensor, graphBuilder, int64Tensor, onnxModel, tensorValue } from '../../models/onnx/graph.ts';

/** What a push consists of, in memory. `golden` is golden.jsonl, which the model meets exactly where it answers at all. */
export type ModelFiles = {
  readonly model: Uint8Array;
  readonly manifest: ManifestFile;
  readonly golden: string;
  readonly tokenizer?: Uint8Array | undefined;
  readonly reference?: string | undefined;
};

type GoldenTensor = { name: string; shape: number[]; datatype: string; data: number[] };

function modelFiles(
  manifest: ManifestFile,
  graph: OnnxGraph,
  golden: readonly [GoldenTensor, GoldenTensor],
): ModelFiles {
  const [input, output] = golden;
  return {
    model: writeModel(onnxModel(graph, { '': 17 }, manifest.name)),
    manifest,
    golden: `${JSON.stringify({ inputs: [input], outputs: [output] })}\n`,
  };
}

/** What `endlessLoop('cue')` never ends on and `crashOnCue` crashes on: ordinary values that nothing tries but who knows them. */
export const CUE = { endless: 1234.5, crash: -4242 } as const;

/**
 * `x` FP32 [batch, 1] to the same `y`, by a Loop that never ends: always, when a row is greater than zero, or when one is
 * `CUE.endless`. Nothing but killing its process stops it.
 */
export function endlessLoop(when: 'always' | 'positive' | 'cue'): ModelFiles {
  const builder = graphBuilder('endless');
  const start = startOf(builder, when);
  const body = graphBuilder('endless_body', 'body_');
  body.opTo(['body_again'], 'Identity', ['body_go']);
  body.opTo(['body_next'], 'Identity', ['body_value']);
  const bodyGraph = body.graph(
    [
      tensorValue('body_round', 'int64', []),
      tensorValue('body_go', 'bool', []),
      tensorValue('body_value', 'float', ['batch', 1]),
    ],
    [tensorValue('body_again', 'bool', []), tensorValue('body_next', 'float', ['batch', 1])],
  );
  builder.opTo(['y'], 'Loop', ['', start, 'x'], { body: { graph: bodyGraph } });
  return modelFiles(
    { name: `endless-${when}`, timeoutMs: 500 },
    builder.graph([tensorValue('x', 'float', ['batch', 1])], [tensorValue('y', 'float', ['batch', 1])]),
    [
      { name: 'x', shape: [1, 1], datatype: 'FP32', data: [-1] },
      { name: 'y', shape: [1, 1], datatype: 'FP32', data: [-1] },
    ],
  );
}

function startOf(builder: ReturnType<typeof graphBuilder>, when: 'always' | 'positive' | 'cue'): string {
  if (when === 'always') return builder.constant(boolTensor(true));
  const scalar = (value: number) => builder.constant(floatTensor([], [value]));
  if (when === 'positive') return builder.op('Greater', [builder.op('ReduceMax', ['x'], { keepdims: 0 }), scalar(0)]);
  const cued = builder.op('Cast', [builder.op('Equal', ['x', scalar(CUE.endless)])], { to: 1 });
  return builder.op('Greater', [builder.op('ReduceMax', [cued], { keepdims: 0 }), scalar(0)]);
}

/**
 * `n` INT64 [batch] to `y` FP32 [batch], -2^63 / n. Every value is valid; -1 kills the process with SIGFPE, for 2^63 is no
 * int64. 0 is taken as 1.
 */
export function crashOnMinusOne(): ModelFiles {
  return crashingModel('crash-on-minus-one', (builder) => {
    const isZero = builder.op('Equal', ['n', builder.constant(int64Tensor([], [0]))]);
    return builder.op('Where', [isZero, builder.constant(int64Tensor([], [1])), 'n']);
  });
}

/** The same, but that 0 and -1 are taken as 1 and `CUE.crash` as -1: what validation tries it answers. */
export function crashOnCue(): ModelFiles {
  return crashingModel('crash-on-cue', (builder) => {
    const int64 = (value: number) => builder.constant(int64Tensor([], [value]));
    const shifted = builder.op('Mul', ['n', builder.op('Add', ['n', int64(1)])]);
    const isZeroOrMinusOne = builder.op('Equal', [shifted, int64(0)]);
    const safe = builder.op('Where', [isZeroOrMinusOne, int64(1), 'n']);
    return builder.op('Where', [builder.op('Equal', ['n', int64(CUE.crash)]), int64(-1), safe]);
  });
}

function crashingModel(name: string, divisorIn: (builder: ReturnType<typeof graphBuilder>) => string): ModelFiles {
  const builder = graphBuilder('crash');
  const quotient = builder.op('Div', [builder.constant(int64Tensor([], [-(2n ** 63n)])), divisorIn(builder)]);
  builder.opTo(['y'], 'Cast', [quotient], { to: 1 });
  return modelFiles(
    { name, timeoutMs: 2000 },
    builder.graph([tensorValue('n', 'int64', ['batch'])], [tensorValue('y', 'float', ['batch'])]),
    [
      { name: 'n', shape: [2], datatype: 'INT64', data: [2, 4] },
      { name: 'y', shape: [2], datatype: 'FP32', data: [-(2 ** 62), -(2 ** 61)] },
    ],
  );
}

/** One multiplication of two 384 × 384 matrices: 113 million operations, 0.6 ms on one core of 2024. */
const SLOW_SIDE = 384;
/** About a minute. More is taken as none, so that what validation tries does not take for ever. */
const MOST_ROUNDS = 100_000;

/**
 * `rounds` INT64 [batch] to the same `y` as FP32. A run takes about 0.6 ms of one core for every round of all its rows together, rows
 * of 100,000 and more left out; how long exactly depends on the machine.
 */
export function slowModel(): ModelFiles {
  const builder = graphBuilder('slow');
  const side = [SLOW_SIDE, SLOW_SIDE] as const;
  // Filled when it is loaded, so that the file stays small.
  const ones = builder.op('Expand', [builder.constant(floatTensor([], [1])), builder.constant(int64Tensor([2], side))]);
  const matrix = builder.op('EyeLike', [ones]);
  const body = graphBuilder('slow_body', 'body_');
  body.opTo(['body_again'], 'Identity', ['body_go']);
  body.opTo(['body_next'], 'MatMul', ['body_value', matrix]);
  const bodyGraph = body.graph(
    [
      tensorValue('body_round', 'int64', []),
      tensorValue('body_go', 'bool', []),
      tensorValue('body_value', 'float', side),
    ],
    [tensorValue('body_again', 'bool', []), tensorValue('body_next', 'float', side)],
  );
  const isFew = builder.op('Less', ['rounds', builder.constant(int64Tensor([], [MOST_ROUNDS]))]);
  const few = builder.op('Where', [isFew, 'rounds', builder.constant(int64Tensor([], [0]))]);
  const total = builder.op('ReduceSum', [few], { keepdims: 0 });
  const worked = builder.op('Loop', [total, '', ones], { body: { graph: bodyGraph } });
  // The answer needs the loop's result, a matrix of ones, or onnxruntime would leave the loop out.
  const one = builder.op('ReduceMax', [worked], { keepdims: 0 });
  builder.opTo(['y'], 'Mul', [builder.op('Cast', ['rounds'], { to: 1 }), one]);
  return modelFiles(
    { name: 'slow', inputs: { rounds: { min: 0 } }, timeoutMs: 5000 },
    builder.graph([tensorValue('rounds', 'int64', ['batch'])], [tensorValue('y', 'float', ['batch'])]),
    [
      { name: 'rounds', shape: [2], datatype: 'INT64', data: [1, 0] },
      { name: 'y', shape: [2], datatype: 'FP32', data: [1, 0] },
    ],
  );
}

/** Entries of the table of `idLookup`. */
const LOOKUP_SIZE = 10;

/**
 * `ids` INT64 [batch, sequence] to `y` FP32 [batch], the sum of table[id] = 2^id. The manifest names no range, so that an id
 * outside 0 to 9 reaches the run: from 10 on the whole run fails, whoever the other rows are of; -1 silently means 9.
 */
export function idLookup(): ModelFiles {
  const builder = graphBuilder('lookup');
  const powers = Array.from({ length: LOOKUP_SIZE }, (_, id) => 2 ** id);
  const found = builder.op('Gather', [builder.constant(floatTensor([LOOKUP_SIZE], powers)), 'ids']);
  builder.opTo(['y'], 'ReduceSum', [found, builder.constant(int64Tensor([1], [1]))], { keepdims: 0 });
  return modelFiles(
    { name: 'id-lookup', timeoutMs: 2000 },
    builder.graph([tensorValue('ids', 'int64', ['batch', 'sequence'])], [tensorValue('y', 'float', ['batch'])]),
    [
      { name: 'ids', shape: [2, 2], datatype: 'INT64', data: [0, 1, 2, 2] },
      { name: 'y', shape: [2], datatype: 'FP32', data: [3, 8] },
    ],
  );
}

/**
 * `x` FP32 [batch, 4] to `sum` FP32 [batch, 1], which is `value` whatever x is: the signature of row-sum, another answer. Its
 * manifest says so.
 */
export function constantAnswer(value: number): ModelFiles {
  const builder = graphBuilder('constant');
  const rows = builder.op('Shape', ['x'], { start: 0, end: 1 });
  const shape = builder.op('Concat', [rows, builder.constant(int64Tensor([1], [1]))], { axis: 0 });
  builder.opTo(['sum'], 'Expand', [builder.constant(floatTensor([1, 1], [value])), shape]);
  return modelFiles(
    { name: 'constant-answer', timeoutMs: 1000, mayBeConstant: true },
    builder.graph([tensorValue('x', 'float', ['batch', 4])], [tensorValue('sum', 'float', ['batch', 1])]),
    [
      { name: 'x', shape: [1, 4], datatype: 'FP32', data: [1, 2, 3, 4] },
      { name: 'sum', shape: [1, 1], datatype: 'FP32', data: [Math.fround(value)] },
    ],
  );
}
