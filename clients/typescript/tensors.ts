import type { RequestTensor, ResponseTensor } from './schema.ts';

export type Datatype = RequestTensor['datatype'];
type Element = number | bigint | string | boolean | null;
/** Elements as nested as the shape: `[[1, 2], [3, 4]]` is 2 × 2. */
export type Nested = readonly (Element | Nested)[];
type NumberArray =
  | Uint8Array
  | Uint16Array
  | Uint32Array
  | BigUint64Array
  | Int8Array
  | Int16Array
  | Int32Array
  | BigInt64Array
  | Float32Array
  | Float64Array;

/**
 * An input from a nested array, whose shape is that of the array, or from a flat one with its shape. Throws `RangeError` for rows of
 * different lengths and for data that does not fill the shape.
 */
export function tensor(
  name: string,
  datatype: Datatype,
  data: Nested | NumberArray,
  shape?: readonly number[],
): RequestTensor {
  const flat: Element[] = [];
  const own = flatten(Array.isArray(data) ? (data as Nested) : Array.from(data as ArrayLike<number | bigint>), flat);
  const size = (shape ?? own).reduce((product, dimension) => product * dimension, 1);
  if (size !== flat.length) throw new RangeError(`${name}: ${flat.length} elements do not fill [${shape ?? own}]`);
  return { name, datatype, shape: [...(shape ?? own)], data: flat.map(toJson) };
}

/** A text a row. */
export function texts(name: string, data: readonly string[]): RequestTensor {
  return tensor(name, 'BYTES', data);
}

/** The elements of an output as nested as its shape; null stands for NaN and infinities. */
export function nested({ shape, data = [] }: Pick<ResponseTensor, 'shape' | 'data'>): Nested {
  let level: Nested = data;
  for (const dimension of shape.slice(1).reverse()) {
    const inner = level;
    const rows = dimension === 0 ? 0 : inner.length / dimension;
    level = Array.from({ length: rows }, (_, row) => inner.slice(row * dimension, (row + 1) * dimension));
  }
  return level;
}

/** Appends the elements to `into` and returns the shape. */
function flatten(data: Nested, into: Element[]): number[] {
  const [first] = data;
  if (!Array.isArray(first)) {
    for (const element of data) {
      if (Array.isArray(element)) throw new RangeError('elements beside rows');
      into.push(element as Element);
    }
    return [data.length];
  }
  const shapes = data.map((row) => {
    if (!Array.isArray(row)) throw new RangeError('elements beside rows');
    return flatten(row, into);
  });
  const [inner] = shapes;
  if (shapes.some((shape) => shape.join() !== inner!.join())) throw new RangeError('rows of different lengths');
  return [data.length, ...inner!];
}

/** What JSON has no number for: large whole numbers are decimal texts. NaN becomes null by itself. */
function toJson(element: Element): number | string | boolean | null {
  if (typeof element !== 'bigint') return element;
  const number = Number(element);
  return Number.isSafeInteger(number) ? number : String(element);
}
