import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { writeModel } from '../../adapters/onnx/graph/codec.ts';
import type { OnnxModel, OnnxType, OnnxValue } from '../../adapters/onnx/graph/messages.ts';
import { createGraphs } from '../../adapters/onnx/graphs.ts';
import { Failure } from '../../core/failure.ts';
import type { PreparedGraph } from '../../core/ports/graphs.ts';
import { graphBuilder, onnxModel, tensorValue } from '../../models/onnx/graph.ts';

/** TensorProto.DataType. */
const FLOAT = 1;
const INT64 = 7;
const STRING = 8;

const CLASSES = ['cancel', 'refund', 'upgrade'];

export type ClassifierOptions = {
  readonly labels: 'strings' | 'int64s';
  readonly zipMap: boolean;
  /** Leaves the standard operators out of the opsets, as converters of tree models do. */
  readonly mlOnly?: boolean;
};

/** A map's type as skl2onnx writes it for a ZipMap's output. */
function mapsOf(labels: ClassifierOptions['labels']): OnnxType {
  const valueType = { tensorType: { elemType: FLOAT } };
  return { sequenceType: { elemType: { mapType: { keyType: labels === 'strings' ? STRING : INT64, valueType } } } };
}

/**
 * What skl2onnx makes of a logistic regression: `float_input` [N, 4] to `output_label` and `output_probability`, the latter as maps by
 * way of a ZipMap, or as the tensor that the ZipMap takes.
 */
export function classifier({ labels, zipMap, mlOnly = false }: ClassifierOptions): OnnxModel {
  const builder = graphBuilder('sklearn');
  const coefficients = Float32Array.from({ length: 12 }, (_, at) => Math.sin(at * 7));
  const classes = labels === 'strings' ? { classlabels_strings: CLASSES } : { classlabels_ints: [10, 20, 30] };
  builder.opTo(
    ['output_label', zipMap ? 'probability_tensor' : 'output_probability'],
    'LinearClassifier',
    ['float_input'],
    { coefficients, intercepts: new Float32Array([0.1, -0.2, 0.3]), post_transform: 'SOFTMAX', ...classes },
    'ai.onnx.ml',
  );
  const named = labels === 'strings' ? { classlabels_strings: CLASSES } : { classlabels_int64s: [10, 20, 30] };
  if (zipMap) builder.opTo(['output_probability'], 'ZipMap', ['probability_tensor'], named, 'ai.onnx.ml');
  const probabilities: OnnxValue = zipMap
    ? { name: 'output_probability', type: mapsOf(labels) }
    : tensorValue('output_probability', 'float', ['N', 3]);
  const graph = builder.graph(
    [tensorValue('float_input', 'float', ['N', 4])],
    [tensorValue('output_label', labels === 'strings' ? 'string' : 'int64', ['N']), probabilities],
  );
  return onnxModel(graph, mlOnly ? { 'ai.onnx.ml': 1 } : { '': 17, 'ai.onnx.ml': 3 }, 'a classifier');
}

/** A folder for model files that goes away with `close`. */
export class GraphFolder {
  readonly path = mkdtempSync(join(tmpdir(), 'sluice-graphs-'));
  readonly scratch = mkdtempSync(join(this.path, 'scratch-'));
  readonly #graphs = createGraphs(this.scratch);
  #count = 0;

  write(model: OnnxModel | Uint8Array | string): string {
    const path = join(this.path, `${this.#count++}.onnx`);
    writeFileSync(path, typeof model === 'string' || model instanceof Uint8Array ? model : writeModel(model));
    return path;
  }

  prepare(model: OnnxModel | Uint8Array | string): Promise<PreparedGraph> {
    return this.#graphs.prepare(this.write(model));
  }

  /** The failure that preparing this ends with. */
  async refusal(model: OnnxModel | Uint8Array | string): Promise<Failure> {
    try {
      await this.prepare(model);
    } catch (error) {
      if (error instanceof Failure) return error;
      throw error;
    }
    throw new Error('was not refused');
  }

  close(): void {
    rmSync(this.path, { recursive: true });
  }
}

/** What onnxruntime answers, by output. */
export async function answer(
  model: string | Uint8Array,
  feeds: Readonly<Record<string, Tensor>>,
): Promise<Record<string, { readonly dims: readonly number[]; readonly data: readonly unknown[] }>> {
  const session =
    typeof model === 'string'
      ? await InferenceSession.create(model, { logSeverityLevel: 4 })
      : await InferenceSession.create(model, { logSeverityLevel: 4 });
  try {
    const outputs = await session.run(feeds);
    return Object.fromEntries(
      Object.entries(outputs).map(([name, { dims, data }]) => [name, { dims, data: Array.from(data as string[]) }]),
    );
  } finally {
    await session.release();
  }
}

/** What onnxruntime says when it refuses to load a model; undefined if it loads. */
export async function loadProblem(model: OnnxModel | Uint8Array): Promise<string | undefined> {
  try {
    const bytes = model instanceof Uint8Array ? model : writeModel(model);
    await (await InferenceSession.create(bytes, { logSeverityLevel: 4 })).release();
    return undefined;
  } catch (error) {
    return String(error);
  }
}

export function floats(values: readonly number[], dims: readonly number[]): Tensor {
  return new Tensor('float32', Float32Array.from(values), dims);
}

export function texts(...values: string[]): Tensor {
  return new Tensor('string', values, [values.length]);
}
