/** Tensors as the Open Inference Protocol names them, held as the typed arrays that onnxruntime takes. */
export const DATATYPES = [
  'BOOL',
  'UINT8',
  'UINT16',
  'UINT32',
  'UINT64',
  'INT8',
  'INT16',
  'INT32',
  'INT64',
  'FP16',
  'FP32',
  'FP64',
  'BYTES',
] as const;
export type Datatype = (typeof DATATYPES)[number];

/**
 * Elements in row-major order. BOOL is 0 or 1 in a Uint8Array; FP16 is its bit pattern in a Uint16Array;
 * BYTES is UTF-8 text, one string an element (onnxruntime's string tensors hold nothing else).
 */
export type TensorData =
  | Uint8Array
  | Uint16Array
  | Uint32Array
  | BigUint64Array
  | Int8Array
  | Int16Array
  | Int32Array
  | BigInt64Array
  | Float32Array
  | Float64Array
  | string[];

export type Tensor = {
  readonly name: string;
  readonly datatype: Datatype;
  /** Row-major; the product of the dimensions is `data.length`. */
  readonly shape: readonly number[];
  readonly data: TensorData;
};

type TypedArrayOf = { new (length: number): Exclude<TensorData, string[]>; readonly BYTES_PER_ELEMENT: number };

const ARRAY_OF: Readonly<Record<Exclude<Datatype, 'BYTES'>, TypedArrayOf>> = {
  BOOL: Uint8Array,
  UINT8: Uint8Array,
  UINT16: Uint16Array,
  UINT32: Uint32Array,
  UINT64: BigUint64Array,
  INT8: Int8Array,
  INT16: Int16Array,
  INT32: Int32Array,
  INT64: BigInt64Array,
  FP16: Uint16Array,
  FP32: Float32Array,
  FP64: Float64Array,
};

/** Bytes of one element; BYTES elements have no fixed size. */
export function elementBytes(datatype: Exclude<Datatype, 'BYTES'>): number {
  return ARRAY_OF[datatype].BYTES_PER_ELEMENT;
}

/** Zeroed room for `length` elements (empty strings for BYTES). */
export function allocate(datatype: Datatype, length: number): TensorData {
  return datatype === 'BYTES' ? new Array<string>(length).fill('') : new ARRAY_OF[datatype](length);
}

/** The product of the dimensions; 1 for a scalar. */
export function elementCount(shape: readonly number[]): number {
  let count = 1;
  for (const dimension of shape) count *= dimension;
  return count;
}
