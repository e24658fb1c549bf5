import type { TensorData } from './tensor.ts';

/**
 * Copies the block that two row-major arrays share from index 0 of every dimension after the first: rows are those of
 * `rowCount`, from `fromRow` of the source to `toRow` of the target. Shapes have equal rank and kinds of element.
 */
export type Place = { readonly data: TensorData; readonly shape: readonly number[]; readonly row: number };

export function copyRows(source: Place, target: Place, rowCount: number): void {
  const sourceRow = rowElements(source.shape);
  const targetRow = rowElements(target.shape);
  if (sourceRow === targetRow) {
    copyRun(source.data, source.row * sourceRow, target.data, target.row * targetRow, rowCount * sourceRow);
    return;
  }
  for (let row = 0; row < rowCount; row += 1) {
    copyAxis(source, (source.row + row) * sourceRow, target, (target.row + row) * targetRow, 1);
  }
}

function copyAxis(source: Place, sourceAt: number, target: Place, targetAt: number, axis: number): void {
  const length = Math.min(source.shape[axis]!, target.shape[axis]!);
  if (axis === source.shape.length - 1) {
    copyRun(source.data, sourceAt, target.data, targetAt, length);
    return;
  }
  const sourceStep = rowElements(source.shape, axis + 1);
  const targetStep = rowElements(target.shape, axis + 1);
  for (let i = 0; i < length; i += 1) {
    copyAxis(source, sourceAt + i * sourceStep, target, targetAt + i * targetStep, axis + 1);
  }
}

function copyRun(source: TensorData, sourceAt: number, target: TensorData, targetAt: number, length: number): void {
  if (Array.isArray(target) || Array.isArray(source)) {
    for (let i = 0; i < length; i += 1) target[targetAt + i] = source[sourceAt + i]!;
  } else if (length < SHORT_RUN) {
    for (let i = 0; i < length; i += 1) target[targetAt + i] = source[sourceAt + i]!;
  } else {
    (target as Uint8Array).set((source as Uint8Array).subarray(sourceAt, sourceAt + length), targetAt);
  }
}

/** Below this a loop is faster than the view that `set` needs (about 100 ns). */
const SHORT_RUN = 32;

/** Elements of one row: the product of the dimensions from `axis` on. */
export function rowElements(shape: readonly number[], axis = 1): number {
  let elements = 1;
  for (let i = axis; i < shape.length; i += 1) elements *= shape[i]!;
  return elements;
}
