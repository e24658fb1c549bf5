import type { BatchPlan } from './batch-plan.ts';
import { copyRows } from './block.ts';
import type { Job } from './job.ts';
import { allocate, elementCount, type Tensor } from './tensor.ts';

type Part = Pick<Job, 'inputs' | 'rows' | 'outputs'>;

/** True if the model returned a row for every row that it was given, so that the outputs can be split. */
export function hasRowForEach(outputs: readonly Tensor[], jobs: readonly Part[]): boolean {
  if (jobs.length === 1) return true;
  let rows = 0;
  for (const job of jobs) rows += job.rows;
  return outputs.every((output) => output.shape[0] === rows);
}

/**
 * Each job's own outputs out of one run's, in the order of the jobs: its rows, cut back from padding, in memory of
 * their own, only those that it asked for. The outputs have a row for each of the jobs' rows.
 */
export function splitOutputs(
  plan: BatchPlan,
  outputs: readonly Tensor[],
  jobs: readonly Part[],
): (readonly Tensor[])[] {
  if (jobs.length === 1) return [requested(outputs, jobs[0]!)];
  let row = 0;
  return jobs.map((job) => {
    const fromRow = row;
    row += job.rows;
    const lengths = plan.padded.size === 0 ? undefined : lengthsOf(plan, job);
    return requested(outputs, job).map((output) => cutOut(plan, output, fromRow, job.rows, lengths));
  });
}

function requested(outputs: readonly Tensor[], job: Part): readonly Tensor[] {
  return job.outputs === undefined
    ? outputs
    : job.outputs.flatMap((name) => outputs.find((output) => output.name === name) ?? []);
}

function cutOut(
  plan: BatchPlan,
  output: Tensor,
  row: number,
  rows: number,
  lengths: ReadonlyMap<string, number> | undefined,
): Tensor {
  const shape = [...output.shape];
  shape[0] = rows;
  if (lengths !== undefined) {
    for (const [axis, name] of plan.cut.get(output.name) ?? []) shape[axis] = lengths.get(name) ?? shape[axis]!;
  }
  // Never a view: the array of the whole run holds other tenants' rows.
  const data = allocate(output.datatype, elementCount(shape));
  copyRows({ data: output.data, shape: output.shape, row }, { data, shape, row: 0 }, rows);
  return { name: output.name, datatype: output.datatype, shape, data };
}

/** The job's own length of each padded dimension. */
function lengthsOf(plan: BatchPlan, job: Part): ReadonlyMap<string, number> {
  const lengths = new Map<string, number>();
  for (const { name, shape } of job.inputs) {
    const padding = plan.padded.get(name);
    if (padding !== undefined) for (const [axis, dimension] of padding.axes) lengths.set(dimension, shape[axis]!);
  }
  return lengths;
}
