import type { BatchPlan, PaddedInput } from './batch-plan.ts';
import { copyRows } from './block.ts';
import type { Job } from './job.ts';
import { allocate, elementCount, type Tensor, type TensorData } from './tensor.ts';

/**
 * The inputs of several jobs of one bucket as the inputs of one run: rows in the order of the jobs, shorter ones filled
 * up with the manifest's value. A lone job's inputs are given as they are.
 */
export function mergeInputs(plan: BatchPlan, jobs: readonly Pick<Job, 'inputs' | 'rows'>[]): readonly Tensor[] {
  const first = jobs[0]!;
  if (jobs.length === 1) return first.inputs;
  return first.inputs.map((input, place) => mergeOne(plan.padded.get(input.name), input.name, place, jobs));
}

function mergeOne(
  padding: PaddedInput | undefined,
  name: string,
  place: number,
  jobs: readonly Pick<Job, 'inputs' | 'rows'>[],
): Tensor {
  const parts = jobs.map((job) => inputNamed(job.inputs, name, place));
  const shape = [...parts[0]!.shape];
  shape[0] = 0;
  for (const part of parts) {
    shape[0] += part.shape[0]!;
    for (let axis = 1; axis < shape.length; axis += 1) shape[axis] = Math.max(shape[axis]!, part.shape[axis]!);
  }
  const { datatype } = parts[0]!;
  const data = allocate(datatype, elementCount(shape));
  if (padding !== undefined && padding.value !== 0 && isPadded(parts, shape)) fill(data, padding.value);
  let row = 0;
  for (const part of parts) {
    copyRows({ data: part.data, shape: part.shape, row: 0 }, { data, shape, row }, part.shape[0]!);
    row += part.shape[0]!;
  }
  return { name, datatype, shape, data };
}

/** Most requests list their inputs in the same order. */
function inputNamed(inputs: readonly Tensor[], name: string, place: number): Tensor {
  const here = inputs[place];
  const found = here?.name === name ? here : inputs.find((input) => input.name === name);
  if (found === undefined) throw new Error(`a job without the input ${name} was admitted`);
  return found;
}

function isPadded(parts: readonly Tensor[], shape: readonly number[]): boolean {
  return parts.some((part) => part.shape.some((size, axis) => axis > 0 && size !== shape[axis]));
}

function fill(data: TensorData, value: number): void {
  if (data instanceof BigInt64Array || data instanceof BigUint64Array) data.fill(BigInt(value));
  else if (!Array.isArray(data)) data.fill(value);
}
