import { InferenceSession, Tensor as OnnxTensor } from 'onnxruntime-node';
import type { Tensor, TensorData } from '../../core/inference/tensor.ts';
import type { Signature, TensorSignature } from '../../core/models/signature.ts';
import { toDatatype, toOnnxType } from './datatypes.ts';
import { executionProvidersOf, type Provider } from './providers.ts';

/** More threads than this only wait for each other; 100,000 of them hang the process for 20 s. */
const MOST_THREADS = 64;

export type SessionSettings = {
  readonly provider: Provider;
  /** Threads of one run. All runners together should not have more than there are cores. */
  readonly intraOpThreads: number;
};

/**
 * One loaded model. `run` blocks the whole process until the model is done and cannot be stopped: only ever in a
 * process that may be killed.
 */
export type Session = {
  readonly signature: Signature;
  run(inputs: readonly Tensor[]): Promise<Tensor[]>;
};

/** Loads a model file by path (from a buffer it would take three times the memory). Throws what onnxruntime throws. */
export async function openSession(path: string, settings: SessionSettings): Promise<Session> {
  const session = await InferenceSession.create(path, {
    executionProviders: executionProvidersOf(settings.provider),
    intraOpNumThreads: Math.min(Math.max(1, Math.trunc(settings.intraOpThreads)), MOST_THREADS),
    interOpNumThreads: 1,
    executionMode: 'sequential',
    // A third less memory and no slower.
    enableCpuMemArena: false,
    logSeverityLevel: 4,
  });
  const signature = {
    inputs: session.inputMetadata.map(toSignature),
    outputs: session.outputMetadata.map(toSignature),
  };
  return { signature, run: (inputs) => run(session, signature, inputs) };
}

async function run(session: InferenceSession, signature: Signature, inputs: readonly Tensor[]): Promise<Tensor[]> {
  const feeds: Record<string, OnnxTensor> = {};
  for (const input of inputs) {
    feeds[input.name] = new OnnxTensor(toOnnxType(input.datatype), input.data, input.shape);
  }
  const results = await session.run(feeds);
  return signature.outputs.map(({ name, datatype }) => {
    const result = results[name];
    if (result === undefined) throw new Error(`the model did not return its output ${name}`);
    return { name, datatype, shape: result.dims, data: toData(result.data) };
  });
}

/** FP16 travels as its bit pattern. */
function toData(data: OnnxTensor.DataType): TensorData {
  return data instanceof Float16Array
    ? new Uint16Array(data.buffer, data.byteOffset, data.length)
    : (data as TensorData);
}

function toSignature(metadata: InferenceSession.ValueMetadata): TensorSignature {
  const { name } = metadata;
  if (!metadata.isTensor) {
    throw new Error(
      `${name} is a sequence or map, which this runtime cannot return: cut the node that makes it (often ZipMap) out of the graph`,
    );
  }
  const datatype = toDatatype(metadata.type);
  if (datatype === undefined) throw new Error(`${name} has the element type ${metadata.type}, which cannot be served`);
  return { name, datatype, shape: [...metadata.shape] };
}
