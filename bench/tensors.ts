import { Tensor } from 'onnxruntime-node';
import { tokenBatch } from '../models/encoder-l6.ts';
import type { GoldenTensor } from '../models/golden.ts';

/** What onnxruntime takes and gives for tensors as a request spells them, of the datatypes that the samples use. */
export function toFeeds(inputs: readonly GoldenTensor[]): Record<string, Tensor> {
  return Object.fromEntries(inputs.map((input) => [input.name, toRuntime(input)]));
}

function toRuntime({ datatype, data, shape }: GoldenTensor): Tensor {
  if (datatype === 'BYTES') return new Tensor('string', [...data], shape);
  if (datatype === 'FP32') return new Tensor('float32', Float32Array.from(data), shape);
  return new Tensor('int64', BigInt64Array.from(data, BigInt), shape);
}

/** Rows for `encoder-l6`, one request of one row for each length, with different tokens. */
export function encoderRows(lengths: readonly number[]): GoldenTensor[][] {
  const batch = tokenBatch(lengths);
  const longest = batch[0]!.shape[1]!;
  return lengths.map((length, row) =>
    batch.map(({ name, data }) => ({
      name,
      shape: [1, length],
      datatype: 'INT64',
      data: (data as readonly number[]).slice(row * longest, row * longest + length),
    })),
  );
}
