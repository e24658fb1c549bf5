import { InferenceSession, Tensor } from 'onnxruntime-node';

/** A tensor as a line of golden.jsonl spells it: Open Inference Protocol, flat data. */
export type GoldenTensor =
  | {
      readonly name: string;
      readonly shape: readonly number[];
      readonly datatype: 'BYTES';
      readonly data: readonly string[];
    }
  | {
      readonly name: string;
      readonly shape: readonly number[];
      readonly datatype: 'FP32' | 'INT64';
      readonly data: readonly number[];
    };

export function bytesTensor(name: string, data: readonly string[]): GoldenTensor {
  return { name, shape: [data.length], datatype: 'BYTES', data };
}

/** The model at `modelPath` on one thread. `release` it, once. */
export function openSession(modelPath: string): Promise<InferenceSession> {
  return InferenceSession.create(modelPath, { intraOpNumThreads: 1, interOpNumThreads: 1, logSeverityLevel: 4 });
}

/** What onnxruntime answers to these inputs: every output of the graph, in its order. */
export async function runModel(session: InferenceSession, inputs: readonly GoldenTensor[]): Promise<GoldenTensor[]> {
  const feeds = Object.fromEntries(inputs.map((input) => [input.name, toRuntime(input)]));
  const answers = await session.run(feeds);
  return session.outputNames.map((name) => fromRuntime(name, answers[name]!));
}

/** golden.jsonl for these inputs, answered by the model itself: a line a pair. `toGraph` makes what the graph takes of them. */
export async function goldenLines(
  modelPath: string,
  pairs: readonly (readonly GoldenTensor[])[],
  toGraph: (inputs: readonly GoldenTensor[]) => readonly GoldenTensor[] = (inputs) => inputs,
): Promise<string> {
  const session = await openSession(modelPath);
  try {
    const lines: string[] = [];
    for (const inputs of pairs) {
      lines.push(`${JSON.stringify({ inputs, outputs: await runModel(session, toGraph(inputs)) })}\n`);
    }
    return lines.join('');
  } finally {
    await session.release();
  }
}

function toRuntime(tensor: GoldenTensor): Tensor {
  const dims = [...tensor.shape];
  if (tensor.datatype === 'BYTES') return new Tensor('string', [...tensor.data], dims);
  if (tensor.datatype === 'FP32') return new Tensor('float32', Float32Array.from(tensor.data), dims);
  return new Tensor('int64', BigInt64Array.from(tensor.data, BigInt), dims);
}

function fromRuntime(name: string, tensor: Tensor): GoldenTensor {
  const shape = [...tensor.dims];
  if (tensor.type === 'string') return { name, shape, datatype: 'BYTES', data: tensor.data as string[] };
  if (tensor.type === 'float32') return { name, shape, datatype: 'FP32', data: [...(tensor.data as Float32Array)] };
  if (tensor.type === 'int64')
    return { name, shape, datatype: 'INT64', data: Array.from(tensor.data as BigInt64Array, Number) };
  throw new Error(`output ${name} is ${tensor.type}, which golden files here do not hold`);
}
