import type { Tensor } from '../../inference/tensor.ts';

/** How far two answers of one shape are apart, over all outputs. */
export type Distance = {
  /** Largest difference of numbers; those that are not finite left out. */
  readonly absolute: number;
  /**
   * The same in units of the largest number of its output: what rounding is proportional to. Infinite where texts, whole
   * numbers or booleans differ, shapes differ, or one is finite and the other is not.
   */
  readonly relative: number;
};

const NONE: Distance = { absolute: 0, relative: 0 };

export function distanceOf(a: readonly Tensor[], b: readonly Tensor[]): Distance {
  if (a.length !== b.length) return { absolute: 0, relative: Number.POSITIVE_INFINITY };
  return a.map((tensor, at) => distanceOfTensors(tensor, b[at]!)).reduce(farther, NONE);
}

export function farther(a: Distance, b: Distance): Distance {
  return { absolute: Math.max(a.absolute, b.absolute), relative: Math.max(a.relative, b.relative) };
}

/** True if every element of every output is the same, NaN as NaN. */
export function isIdentical(a: readonly Tensor[], b: readonly Tensor[]): boolean {
  return a.every((tensor, at) => {
    const other = b[at];
    if (other === undefined || tensor.shape.join() !== other.shape.join()) return false;
    for (let i = 0; i < tensor.data.length; i += 1) if (!Object.is(tensor.data[i], other.data[i])) return false;
    return true;
  });
}

export function holdsNaN(outputs: readonly Tensor[]): boolean {
  return outputs.some((tensor) => isFloat(tensor) && floatsOf(tensor).some((value) => Number.isNaN(value)));
}

export function isFloat({ datatype }: Pick<Tensor, 'datatype'>): boolean {
  return datatype.startsWith('FP');
}

function distanceOfTensors(a: Tensor, b: Tensor): Distance {
  if (a.shape.join() !== b.shape.join()) return { absolute: 0, relative: Number.POSITIVE_INFINITY };
  if (!isFloat(a)) return distanceOfWhole(a, b);
  const left = floatsOf(a);
  const right = floatsOf(b);
  let absolute = 0;
  let scale = 0;
  for (let i = 0; i < left.length; i += 1) {
    if (Object.is(left[i], right[i])) {
      if (Number.isFinite(left[i])) scale = Math.max(scale, Math.abs(left[i]!));
      continue;
    }
    const difference = Math.abs(left[i]! - right[i]!);
    if (!Number.isFinite(difference)) return { absolute, relative: Number.POSITIVE_INFINITY };
    absolute = Math.max(absolute, difference);
    scale = Math.max(scale, Math.abs(left[i]!), Math.abs(right[i]!));
  }
  return { absolute, relative: absolute === 0 ? 0 : absolute / scale };
}

function distanceOfWhole(a: Tensor, b: Tensor): Distance {
  let absolute = 0;
  let differs = false;
  for (let i = 0; i < a.data.length; i += 1) {
    const left = a.data[i]!;
    const right = b.data[i]!;
    if (left === right) continue;
    differs = true;
    if (typeof left !== 'string') absolute = Math.max(absolute, Math.abs(Number(left) - Number(right)));
  }
  return { absolute, relative: differs ? Number.POSITIVE_INFINITY : 0 };
}

/** FP16 is held as its bit pattern. */
export function floatsOf({ datatype, data }: Tensor): Float16Array | Float32Array | Float64Array {
  if (datatype !== 'FP16') return data as Float32Array;
  const bits = data as Uint16Array;
  return new Float16Array(bits.buffer, bits.byteOffset, bits.length);
}
