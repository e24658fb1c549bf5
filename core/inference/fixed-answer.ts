import { toFixedOutput } from '../models/fixed-outputs.ts';
import type { ModelVersion } from '../models/version.ts';
import { allocate, type Datatype, type Tensor, type TensorData } from './tensor.ts';

/** The outputs of a fixed answer to a request of so many rows: those asked for, in order; undefined is all. */
export type FixedAnswer = (rows: number, outputs: readonly string[] | undefined) => readonly Tensor[];

/** What the manifest's `fallback.outputs` stand for, worked out once; undefined if there are none. */
export function compileFixedAnswer({ manifest, signature }: ModelVersion): FixedAnswer | undefined {
  const { fallback } = manifest;
  if (fallback === undefined || !('outputs' in fallback)) return undefined;
  const fixed = signature.outputs.map(({ name, datatype, shape }) => {
    const output = toFixedOutput({ name, datatype, shape }, fallback.outputs[name] ?? []);
    if (typeof output === 'string') throw new Error(`fallback of ${manifest.name}: ${name} ${output}`);
    return { name, datatype, ...output };
  });
  return (rows, outputs) => {
    const tensors = fixed.map(({ name, datatype, isPerRow, shape, row }): Tensor => {
      if (!isPerRow) return { name, datatype, shape, data: row };
      return { name, datatype, shape: [rows, ...shape], data: repeat(datatype, row, rows) };
    });
    return outputs === undefined ? tensors : outputs.map((name) => tensors.find((tensor) => tensor.name === name)!);
  };
}

function repeat(datatype: Datatype, row: TensorData, rows: number): TensorData {
  const data = allocate(datatype, row.length * rows);
  // The datatype gives both the same kind of array: the cast names one of them.
  const elements = data as unknown as number[];
  for (let at = 0; at < elements.length; at += 1) elements[at] = row[at % row.length] as number;
  return data;
}
