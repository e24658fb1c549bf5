import { createHash } from 'node:crypto';
import { copyRows } from '../../inference/block.ts';
import { allocate, elementCount, type Tensor } from '../../inference/tensor.ts';
import { encodeTensors } from '../../inference/tensor-codec.ts';
import type { Signature } from '../signature.ts';

/** All inputs of one row: every free first dimension is 1. */
export type Row = readonly Tensor[];

/** True if every input has a free first dimension: such inputs are rows that can be taken apart. */
export function hasRows(signature: Signature): boolean {
  return signature.inputs.every(({ shape }) => typeof shape[0] === 'string');
}

/** The rows of a request; one, the whole, where they cannot be told apart. */
export function splitRows(signature: Signature, inputs: readonly Tensor[]): Row[] {
  const count = inputs[0]?.shape[0];
  if (count === undefined || !hasRows(signature) || inputs.some(({ shape }) => shape[0] !== count)) return [inputs];
  return Array.from({ length: count }, (_, row) => inputs.map((tensor) => takeRows(tensor, row, 1)));
}

/** `count` rows of a tensor from `row` on, in memory of their own. */
export function takeRows(tensor: Tensor, row: number, count: number): Tensor {
  const shape = [count, ...tensor.shape.slice(1)];
  const data = allocate(tensor.datatype, elementCount(shape));
  copyRows({ data: tensor.data, shape: tensor.shape, row }, { data, shape, row: 0 }, count);
  return { ...tensor, shape, data };
}

/** The longest free dimension after the first; undefined if there is none. */
export function freeLength(signature: Signature, row: Row): number | undefined {
  let longest: number | undefined;
  for (const { name, shape } of signature.inputs) {
    const sizes = tensorNamed(row, name).shape;
    for (let axis = 1; axis < shape.length; axis += 1) {
      if (typeof shape[axis] === 'string') longest = Math.max(longest ?? 0, sizes[axis]!);
    }
  }
  return longest;
}

/**
 * The row with its free dimensions after the first changed: what is there is repeated, or cut. `sizeOf` says what becomes of
 * the size of a dimension of an input.
 */
export function resizeRow(
  signature: Signature,
  row: Row,
  sizeOf: (size: number, input: string, axis: number) => number,
): Row {
  return row.map((tensor) => {
    const dimensions = signature.inputs.find(({ name }) => name === tensor.name)?.shape ?? [];
    const shape = tensor.shape.map((size, axis) =>
      axis > 0 && typeof dimensions[axis] === 'string' ? sizeOf(size, tensor.name, axis) : size,
    );
    return shape.every((size, axis) => size === tensor.shape[axis]) ? tensor : tile(tensor, shape);
  });
}

/** Free dimensions in proportion, the longest of them `length`. */
export function scaleRow(signature: Signature, row: Row, length: number): Row {
  const longest = freeLength(signature, row);
  if (longest === undefined || longest === 0) return row;
  return resizeRow(signature, row, (size) => Math.max(1, Math.round((size * length) / longest)));
}

/** Free dimensions as those of another row. */
export function fitRow(signature: Signature, row: Row, like: Row): Row {
  return resizeRow(signature, row, (_, input, axis) => tensorNamed(like, input).shape[axis]!);
}

/** Elements of the row's largest input. */
export function rowLength(row: Row): number {
  return Math.max(1, ...row.map(({ shape }) => elementCount(shape)));
}

/** Rows with equal keys have equal inputs. */
export function keyOf(row: Row): string {
  return createHash('sha256').update(encodeTensors(row)).digest('base64');
}

export function tensorNamed(inputs: readonly Tensor[], name: string): Tensor {
  const tensor = inputs.find((input) => input.name === name);
  if (tensor === undefined) throw new Error(`inputs without ${name}`);
  return tensor;
}

/** Repeats a tensor along every dimension until it fills `shape`, or cuts it. An empty one stays zeros. */
function tile({ name, datatype, shape: from, data }: Tensor, shape: readonly number[]): Tensor {
  const tiled = allocate(datatype, elementCount(shape));
  if (data.length > 0) {
    const at = new Array<number>(shape.length).fill(0);
    for (let element = 0; element < tiled.length; element += 1) {
      let source = 0;
      for (let axis = 0; axis < shape.length; axis += 1) source = source * from[axis]! + (at[axis]! % from[axis]!);
      tiled[element] = data[source]!;
      for (let axis = shape.length - 1; axis >= 0; axis -= 1) {
        at[axis]! += 1;
        if (at[axis]! < shape[axis]!) break;
        at[axis] = 0;
      }
    }
  }
  return { name, datatype, shape, data: tiled };
}
