import { writeModel } from '../../adapters/onnx/graph/codec.ts';
import { floatTensor, graphBuilder, int64Tensor, onnxModel, tensorValue } from '../../models/onnx/graph.ts';
import type { ModelFiles } from './bad-models.ts';
import type { JsonTensor } from './http-client.ts';

/** What `trial` does with a row, by its `n`. */
export const TRIAL = { answers: 1, isRefused: 10, crashes: -7 } as const;

/**
 * `text` BYTES [batch] to the same `echo`, and `n` INT64 [batch]: from 0 to 9 it answers, from 10 on the whole run fails,
 * -7 kills the process (which validation does not try). So that what goes in can be looked for in whatever comes out, whatever happens on the way.
 */
export function trialModel(): ModelFiles {
  const builder = graphBuilder('trial');
  const int64 = (value: number) => builder.constant(int64Tensor([], [value]));
  const divisor = builder.op('Where', [builder.op('Equal', ['n', int64(TRIAL.crashes)]), int64(-1), int64(1)]);
  const quotient = builder.op('Div', [builder.constant(int64Tensor([], [-(2n ** 63n)])), divisor]);
  const table = builder.constant(floatTensor([10], new Float32Array(10)));
  const found = builder.op('Gather', [table, 'n']);
  builder.opTo(['y'], 'Add', [found, builder.op('Cast', [quotient], { to: 1 })]);
  builder.opTo(['echo'], 'Identity', ['text']);
  const graph = builder.graph(
    [tensorValue('text', 'string', ['batch']), tensorValue('n', 'int64', ['batch'])],
    [tensorValue('echo', 'string', ['batch']), tensorValue('y', 'float', ['batch'])],
  );
  return {
    model: writeModel(onnxModel(graph, { '': 17 }, 'trial')),
    manifest: { name: 'trial', maxComputeMsPerRow: 1 },
    golden: '',
  };
}

export function trialOf(text: string, n: number = TRIAL.answers): JsonTensor[] {
  return [
    { name: 'text', shape: [1], datatype: 'BYTES', data: [text] },
    { name: 'n', shape: [1], datatype: 'INT64', data: [n] },
  ];
}
