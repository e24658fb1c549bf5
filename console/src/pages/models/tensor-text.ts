import type { ModelVersion, RequestTensor } from '../../../../clients/typescript/schema.ts';

export type TensorSpec = ModelVersion['signature']['inputs'][number];
type Element = number | string | boolean;
type Nested = readonly (Element | Nested)[];

/** An input as it was typed, or why it is none. */
export type TypedTensor =
  | { readonly kind: 'tensor'; readonly tensor: RequestTensor; readonly shape: readonly number[] }
  | { readonly kind: 'mistake'; readonly says: string };

/** `[batch, 4]`: free dimensions by their names. */
export function shapeText(shape: TensorSpec['shape']): string {
  return `[${shape.map((dimension) => (dimension === '' ? 'any' : dimension)).join(', ')}]`;
}

/**
 * What somebody typed, as a tensor of the signature: a text, or with `linesAreRows` one a line; numbers as JSON arrays, or one row a line with
 * commas, semicolons, tabs or spaces between. A row too few brackets is not held against anybody where the shape leaves no doubt.
 */
export function readTensor(spec: TensorSpec, text: string, linesAreRows: boolean): TypedTensor {
  try {
    const nested = spec.datatype === 'BYTES' ? texts(spec, text, linesAreRows) : numbers(spec, text);
    const flat: Element[] = [];
    const own = flatten(nested, flat);
    const shape = shapeFor(spec, own, flat.length);
    return {
      kind: 'tensor',
      shape,
      tensor: { name: spec.name, datatype: spec.datatype, shape: [...shape], data: flat },
    };
  } catch (error) {
    return { kind: 'mistake', says: error instanceof Error ? error.message : String(error) };
  }
}

/** Free dimensions of one name must be as long in every input. */
export function disagreement(specs: readonly TensorSpec[], shapes: readonly (readonly number[])[]): string | undefined {
  const lengths = new Map<string, number>();
  for (const [at, { shape, name }] of specs.entries())
    for (const [axis, dimension] of shape.entries()) {
      const length = shapes[at]?.[axis];
      if (typeof dimension !== 'string' || dimension === '' || length === undefined) continue;
      const before = lengths.get(dimension);
      if (before !== undefined && before !== length)
        return `${dimension} is ${before} in another input and ${length} in ${name}: they must be the same`;
      lengths.set(dimension, length);
    }
  return undefined;
}

/** Something of the right shape to begin with. */
export function exampleOf({ datatype, shape }: TensorSpec): string {
  if (datatype === 'BYTES') return 'Thank you, everything works again!';
  const lengths = shape.map((dimension) => (typeof dimension === 'number' ? dimension : 1));
  const size = lengths.reduce((product, length) => product * length, 1);
  if (size > 4096) return '';
  const isBool = datatype === 'BOOL';
  const values = Array.from({ length: size }, (_, at) =>
    isBool ? at % 2 === 0 : datatype.startsWith('FP') ? (at % 10) / 10 : at % 10,
  );
  const columns = lengths.at(-1) ?? 1;
  const lines = Array.from({ length: size / Math.max(1, columns) }, (_, row) =>
    values.slice(row * columns, (row + 1) * columns).join(', '),
  );
  return lines.join('\n');
}

function texts({ shape }: TensorSpec, text: string, linesAreRows: boolean): Nested {
  const rows = linesAreRows ? text.split('\n').filter((line) => line.trim() !== '') : [text];
  if (rows.length === 0 || text.trim() === '') throw new Error('Type a text.');
  const inner = shape.length - 1;
  return rows.map((row) => Array.from({ length: inner }).reduce<Element | Nested>((nested) => [nested], row)) as Nested;
}

function numbers(spec: TensorSpec, text: string): Nested {
  const trimmed = text.trim();
  if (trimmed === '') throw new Error('Type values.');
  if (trimmed.startsWith('[')) {
    try {
      return JSON.parse(trimmed) as Nested;
    } catch (cause) {
      throw new Error(`Not JSON: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
    }
  }
  const rows = trimmed.split('\n').map((line) =>
    line
      .split(/[\s,;]+/)
      .filter((cell) => cell !== '')
      .map((cell) => element(spec, cell)),
  );
  return rows.length === 1 ? rows[0]! : rows;
}

function element({ datatype }: TensorSpec, cell: string): Element {
  if (datatype === 'BOOL') {
    if (/^(true|1)$/i.test(cell)) return true;
    if (/^(false|0)$/i.test(cell)) return false;
    throw new Error(`"${cell}" is neither true nor false.`);
  }
  const value = Number(cell);
  if (!Number.isFinite(value)) throw new Error(`"${cell}" is not a number.`);
  if (datatype.startsWith('FP')) return value;
  if (!Number.isInteger(value)) throw new Error(`"${cell}" is not a whole number.`);
  // JSON has no numbers of 64 bits: beyond 2^53 they go as text.
  return Number.isSafeInteger(value) ? value : cell;
}

function flatten(nested: Nested, into: Element[]): number[] {
  if (!Array.isArray(nested[0])) {
    for (const one of nested) {
      if (one === null) throw new Error('null is not a value.');
      if (Array.isArray(one)) throw new Error('Values stand beside rows.');
      into.push(one as Element);
    }
    return [nested.length];
  }
  const shapes = nested.map((row) => {
    if (!Array.isArray(row)) throw new Error('Values stand beside rows.');
    return flatten(row as Nested, into);
  });
  const [first] = shapes;
  if (shapes.some((shape) => shape.join() !== first!.join())) throw new Error('Rows have different lengths.');
  return [nested.length, ...first!];
}

/** The shape that was typed, or the only one of the signature that so many elements fill. */
function shapeFor({ shape }: TensorSpec, own: readonly number[], size: number): readonly number[] {
  const fits = (lengths: readonly number[]) =>
    lengths.length === shape.length &&
    shape.every((dimension, axis) => typeof dimension === 'string' || dimension === lengths[axis]);
  if (fits(own)) return own;
  const free = shape.filter((dimension) => typeof dimension === 'string').length;
  const fixed = shape.reduce<number>(
    (product, dimension) => product * (typeof dimension === 'number' ? dimension : 1),
    1,
  );
  const isRow = own.length === 1 || own.length === 2;
  if (isRow && free <= 1 && fixed > 0 && size % fixed === 0) {
    const filled = shape.map((dimension) => (typeof dimension === 'number' ? dimension : size / fixed));
    if (filled.reduce((product, length) => product * length, 1) === size) return filled;
  }
  // One row without its outer brackets.
  const wrapped = [...Array.from({ length: Math.max(0, shape.length - own.length) }, () => 1), ...own];
  if (fits(wrapped)) return wrapped;
  throw new Error(`${size} values in the shape ${shapeText(own as number[])} do not fit ${shapeText(shape)}.`);
}
