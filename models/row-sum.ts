import { writeModelFolder } from './model-folder.ts';
import { graphBuilder, int64Tensor, onnxModel, tensorValue } from './onnx/graph.ts';

/** Writes the folder of `row-sum`: `x` [batch, 4] to `sum` [batch, 1]. So little work that serving it measures the platform. */
export async function buildRowSum(folder: string): Promise<void> {
  const builder = graphBuilder('row_sum');
  builder.opTo(['sum'], 'ReduceSum', ['x', builder.constant(int64Tensor([1], [1]))], { keepdims: 1 });
  const graph = builder.graph([tensorValue('x', 'float', ['batch', 4])], [tensorValue('sum', 'float', ['batch', 1])]);
  await writeModelFolder(folder, {
    manifest: {
      name: 'row-sum',
      description: 'The sum of four numbers, for load: what serving costs without a model.',
      license: 'Apache-2.0',
      provenance: 'Built by models/row-sum.ts.',
      batching: { maxRows: 1024 },
      limits: { maxRows: 1024 },
      timeoutMs: 1000,
      maxComputeMsPerRow: 0.1,
    },
    model: onnxModel(graph, { '': 17 }, 'The sum of each row'),
    goldenInputs: [
      [{ name: 'x', shape: [1, 4], datatype: 'FP32', data: [1, 2, 3, 4] }],
      [{ name: 'x', shape: [3, 4], datatype: 'FP32', data: [0, 0, 0, 0, -1, 1, -1, 1, 0.5, 0.25, 0.125, 0.0625] }],
    ],
  });
}
