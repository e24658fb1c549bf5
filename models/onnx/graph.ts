import type {
  OnnxAttribute,
  OnnxGraph,
  OnnxModel,
  OnnxNode,
  OnnxTensor,
  OnnxValue,
} from '../../adapters/onnx/graph/messages.ts';

/** TensorProto.DataType, of those that models here use. */
const DATA_TYPE = { float: 1, int8: 3, int64: 7, string: 8, bool: 9 } as const;

type ElementType = keyof typeof DATA_TYPE;

/** AttributeProto.AttributeType. */
const ATTRIBUTE_TYPE = { f: 1, i: 2, s: 3, g: 5, floats: 6, ints: 7, strings: 8 } as const;

/**
 * What a node attribute may be: a number is an integer; floats say so, as `{ float: 1 }` or a Float32Array.
 * The kind follows from the value, so an empty list is an empty list of integers.
 */
type AttributeValue =
  | number
  | string
  | { readonly float: number }
  | { readonly graph: OnnxGraph }
  | Float32Array
  | readonly number[]
  | readonly string[];

type Attributes = Readonly<Record<string, AttributeValue>>;

/** Versions of the operator sets by domain; '' is the standard one. */
type Opsets = Readonly<Record<string, number>>;

export function floatTensor(dims: readonly number[], values: Float32Array | readonly number[]): OnnxTensor {
  return rawTensor('float', dims, Float32Array.from(values));
}

export function int64Tensor(dims: readonly number[], values: readonly (number | bigint)[]): OnnxTensor {
  return rawTensor('int64', dims, BigInt64Array.from(values, BigInt));
}

export function int8Tensor(dims: readonly number[], values: Int8Array): OnnxTensor {
  return rawTensor('int8', dims, values);
}

export function boolTensor(value: boolean): OnnxTensor {
  return rawTensor('bool', [], Uint8Array.of(value ? 1 : 0));
}

/** An input or output; a string among `dims` names a free dimension. */
export function tensorValue(name: string, type: ElementType, dims: readonly (number | string)[]): OnnxValue {
  const dim = dims.map((each) => (typeof each === 'number' ? { dimValue: each } : { dimParam: each }));
  return { name, type: { tensorType: { elemType: DATA_TYPE[type], shape: { dim } } } };
}

/**
 * Collects the nodes and initializers of one graph in order. Names of values are unique within the builder, so that
 * a body of a Loop needs a builder with a `prefix` of its own.
 */
export function graphBuilder(name: string, prefix = '') {
  const nodes: OnnxNode[] = [];
  const initializers: OnnxTensor[] = [];
  let count = 0;
  return {
    /** Adds a constant and returns its name. */
    constant(tensor: OnnxTensor, label = 'constant'): string {
      const constant = `${prefix}${label}_${count++}`;
      initializers.push({ ...tensor, name: constant });
      return constant;
    },
    /** Adds a node of one output and returns that output's name. */
    op(opType: string, inputs: readonly string[], attributes: Attributes = {}, domain = ''): string {
      const output = `${prefix}${opType}_${count++}`;
      this.opTo([output], opType, inputs, attributes, domain);
      return output;
    },
    /** Adds a node with outputs named by the caller. */
    opTo(
      outputs: readonly string[],
      opType: string,
      inputs: readonly string[],
      attributes: Attributes = {},
      domain = '',
    ) {
      nodes.push({
        input: [...inputs],
        output: [...outputs],
        name: `${outputs[0]}_node`,
        opType,
        attribute: Object.entries(attributes).map(([key, value]) => attribute(key, value)),
        domain,
      });
    },
    graph(input: OnnxValue[], output: OnnxValue[]): OnnxGraph {
      return { name, node: nodes, initializer: initializers, input, output };
    },
  };
}

/** IR version 8 is that of ONNX 1.10 to 1.13, opsets 15 to 18. */
export function onnxModel(graph: OnnxGraph, opsets: Opsets, docString: string): OnnxModel {
  const opsetImport = Object.entries(opsets).map(([domain, version]) => ({ domain, version }));
  return { irVersion: 8, producerName: 'sluice', docString, graph, opsetImport };
}

function attribute(name: string, value: AttributeValue): OnnxAttribute {
  const field = attributeField(value);
  const kind = Object.keys(field)[0] as keyof typeof ATTRIBUTE_TYPE;
  return { name, ...field, type: ATTRIBUTE_TYPE[kind] };
}

function attributeField(value: AttributeValue): OnnxAttribute {
  if (typeof value === 'number') return { i: BigInt(value) };
  if (typeof value === 'string') return { s: utf8(value) };
  if (value instanceof Float32Array) return { floats: [...value] };
  if (isStrings(value)) return { strings: value.map(utf8) };
  if (isNumbers(value)) return { ints: value.map(BigInt) };
  if ('float' in value) return { f: value.float };
  return { g: value.graph };
}

function isStrings(value: AttributeValue): value is readonly string[] {
  return Array.isArray(value) && typeof value[0] === 'string';
}

function isNumbers(value: AttributeValue): value is readonly number[] {
  return Array.isArray(value);
}

function rawTensor(type: ElementType, dims: readonly number[], values: ArrayBufferView): OnnxTensor {
  const rawData = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  return { dims: [...dims], dataType: DATA_TYPE[type], rawData };
}

function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
