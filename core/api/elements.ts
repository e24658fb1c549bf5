import { Failure } from '../failure.ts';
import { allocate, type Datatype, elementCount, type TensorData } from '../inference/tensor.ts';
import { expectArray, MAX_TENSOR_DEPTH } from './json.ts';

/**
 * JSON elements, flat or nested as `shape` says, as the typed array of the datatype. What is accepted:
 * BOOL true and false; the integer datatypes whole numbers in their range, INT64 and UINT64 beyond ±(2^53 − 1) only as decimal
 * strings (a JSON number has lost digits by then); the floating ones finite numbers that do not overflow, and null for NaN;
 * BYTES well-formed strings without NUL. Nothing is allocated before the number of elements is known to match.
 * `element-count-mismatch`, `element-invalid` and `text-invalid` with the element's row-major `index`, `json-too-deep`.
 */
export function decodeElements(datatype: Datatype, shape: readonly number[], json: unknown, field: string): TensorData {
  const data = expectArray(json, field);
  const nested = shape.length > 1 && Array.isArray(data[0]);
  if (nested) checkNesting(data, shape, 0, field);
  else if (data.length !== elementCount(shape)) throw countMismatch(field, elementCount(shape), data.length);
  const target = allocate(datatype, nested ? elementCount(shape) : data.length);
  const fill = FILL[datatype] as Fill<TensorData>;
  if (nested) fillNested(data, target, { fill, rank: shape.length, field });
  else fill(data, target, 0, field);
  return target;
}

function checkNesting(data: readonly unknown[], shape: readonly number[], level: number, field: string): void {
  if (data.length !== shape[level]) throw countMismatch(field, shape[level] ?? 0, data.length, level);
  if (level === shape.length - 1) return;
  for (const row of data) {
    if (!Array.isArray(row)) {
      throw new Failure('shape-mismatch', {
        field,
        level: level + 1,
        detail: 'nested data must nest as the shape does',
      });
    }
    checkNesting(row, shape, level + 1, field);
  }
}

type Nesting = { readonly fill: Fill<TensorData>; readonly rank: number; readonly field: string };

function fillNested(data: readonly unknown[], target: TensorData, nesting: Nesting): void {
  let offset = 0;
  const walk = (rows: readonly unknown[], level: number): void => {
    if (level === nesting.rank - 1) {
      nesting.fill(rows, target, offset, nesting.field);
      offset += rows.length;
    } else {
      for (const row of rows) walk(row as readonly unknown[], level + 1);
    }
  };
  walk(data, 0);
}

/** Writes the elements of `source` into `target` from `offset` on. */
type Fill<T> = (source: readonly unknown[], target: T, offset: number, field: string) => void;

type SmallIntegers = Uint8Array | Uint16Array | Uint32Array | Int8Array | Int16Array | Int32Array;

function integers(min: number, max: number): Fill<SmallIntegers> {
  return (source, target, offset, field) => {
    for (let i = 0; i < source.length; i += 1) {
      const value = source[i];
      if (typeof value !== 'number' || !(value >= min && value <= max) || Math.floor(value) !== value) {
        throw elementInvalid(field, offset + i, value);
      }
      target[offset + i] = value;
    }
  };
}

/** `limit` is the least magnitude that rounds to infinity: the largest finite number and half a unit in its last place. */
function floats(limit: number): Fill<Float32Array | Float64Array> {
  return (source, target, offset, field) => {
    for (let i = 0; i < source.length; i += 1) {
      const value = source[i];
      if (typeof value === 'number' && value < limit && value > -limit) target[offset + i] = value;
      else if (value === null) target[offset + i] = Number.NaN;
      else throw elementInvalid(field, offset + i, value);
    }
  };
}

const fillFp16Values = floats(65_520) as unknown as Fill<Float16Array>;

function fillFp16(source: readonly unknown[], target: Uint16Array, offset: number, field: string): void {
  fillFp16Values(source, new Float16Array(target.buffer, target.byteOffset, target.length), offset, field);
}

const DECIMAL = /^-?[0-9]{1,20}$/;

function bigIntegers(signed: boolean): Fill<BigInt64Array | BigUint64Array> {
  const min = signed ? Number.MIN_SAFE_INTEGER : 0;
  return (source, target, offset, field) => {
    for (let i = 0; i < source.length; i += 1) {
      const value = source[i];
      const isSafe = typeof value === 'number' && value >= min && Number.isSafeInteger(value);
      target[offset + i] = isSafe ? BigInt(value) : bigIntegerOf(value, signed, field, offset + i);
    }
  };
}

function bigIntegerOf(value: unknown, signed: boolean, field: string, index: number): bigint {
  if (typeof value !== 'string' || !DECIMAL.test(value)) throw elementInvalid(field, index, value);
  const exact = BigInt(value);
  if ((signed ? BigInt.asIntN(64, exact) : BigInt.asUintN(64, exact)) !== exact) {
    throw elementInvalid(field, index, value);
  }
  return exact;
}

function fillBooleans(source: readonly unknown[], target: Uint8Array, offset: number, field: string): void {
  for (let i = 0; i < source.length; i += 1) {
    const value = source[i];
    if (value === true) target[offset + i] = 1;
    else if (value !== false) throw elementInvalid(field, offset + i, value);
  }
}

function fillStrings(source: readonly unknown[], target: string[], offset: number, field: string): void {
  for (let i = 0; i < source.length; i += 1) {
    const value = source[i];
    if (typeof value !== 'string') throw elementInvalid(field, offset + i, value);
    if (!isUsableText(value)) throw textInvalid(field, offset + i);
    target[offset + i] = value;
  }
}

// The casts widen each to the union; `allocate` gives the array that the datatype's own fill takes.
const FILL: Readonly<Record<Datatype, unknown>> = {
  BOOL: fillBooleans,
  UINT8: integers(0, 0xff),
  UINT16: integers(0, 0xffff),
  UINT32: integers(0, 0xffff_ffff),
  UINT64: bigIntegers(false),
  INT8: integers(-0x80, 0x7f),
  INT16: integers(-0x8000, 0x7fff),
  INT32: integers(-0x8000_0000, 0x7fff_ffff),
  INT64: bigIntegers(true),
  FP16: fillFp16,
  FP32: floats(2 ** 128 - 2 ** 103),
  FP64: floats(Number.POSITIVE_INFINITY),
  BYTES: fillStrings,
};

/** True if onnxruntime would see the text as it is: an embedded NUL truncates it there, a lone surrogate is not UTF-8. */
export function isUsableText(text: string): boolean {
  return !text.includes('\0') && text.isWellFormed();
}

export function textInvalid(field: string, index: number): Failure {
  return new Failure('text-invalid', { field, index, detail: 'NUL characters and lone surrogates cannot be used' });
}

function countMismatch(field: string, expected: number, got: number, level?: number): Failure {
  return new Failure('element-count-mismatch', { field, expected, got, ...(level === undefined ? {} : { level }) });
}

function elementInvalid(field: string, index: number, value: unknown): Failure {
  let depth = 1;
  for (let inner = value; Array.isArray(inner); inner = inner[0]) {
    depth += 1;
    if (depth > MAX_TENSOR_DEPTH) return new Failure('json-too-deep', { field, limit: MAX_TENSOR_DEPTH });
  }
  return new Failure('element-invalid', { field, index, received: value === null ? 'null' : typeof value });
}
