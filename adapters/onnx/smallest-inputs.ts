import { allocate, elementCount, type Tensor, type TensorData } from '../../core/inference/tensor.ts';
import type { Manifest } from '../../core/models/manifest.ts';
import type { Signature } from '../../core/models/signature.ts';

/** Inputs for a model that came without golden pairs: one row, every free dimension 1, the least values it accepts. */
export function smallestInputs(signature: Signature, manifest: Manifest): Tensor[] {
  return signature.inputs.map(({ name, datatype, shape }) => {
    const sizes = shape.map((dimension) => (typeof dimension === 'number' ? dimension : 1));
    const data = allocate(datatype, elementCount(sizes));
    fill(data, manifest.inputs[name]?.min ?? 0);
    return { name, datatype, shape: sizes, data };
  });
}

function fill(data: TensorData, least: number): void {
  if (Array.isArray(data) || least <= 0) return;
  if (data instanceof BigInt64Array || data instanceof BigUint64Array) data.fill(BigInt(Math.ceil(least)));
  else data.fill(least);
}
