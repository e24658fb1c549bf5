import { damagedAt, printable } from './damage.ts';
import { type FileReader, MOST_VARINT_BYTES } from './file-reader.ts';
import type { OnnxValue } from './messages.ts';
import { MOST_NAME_BYTES, readMessage, readName, standardDomain } from './read-part.ts';
import { FIXED32, type Frame, frameOf, LENGTH, VARINT, walk, wholeFile } from './walk.ts';

/** Bounds on what is kept in memory; models that are served stay far below. */
const MOST_OPERATORS = 2000;
const MOST_FUNCTIONS = 10_000;
const MOST_VALUES_BYTES = 256 * 1024;
const MOST_VALUES = 10_000;
const MOST_OPSETS = 1000;
const MOST_NORMALIZERS = 1000;

/** How often a graph uses an operator. */
export type OperatorUse = { readonly domain: string; readonly name: string; count: number; readonly node: string };

export type GraphOutput = { readonly frame: Frame; readonly value: OnnxValue };

/** A tensor whose elements are not in the file. */
export type ExternalTensor = { readonly name: string; readonly location: string };

/** What a model file says of itself, without its weights. */
export type Survey = {
  irVersion: number;
  producer: string;
  producerVersion: string;
  /** Opset versions by domain; '' is the standard one. */
  readonly opsets: Map<string, number>;
  /** `domain:name` of functions that the model brings along. */
  readonly functions: Set<string>;
  graph: Frame | undefined;
  /** Of the graph and its subgraphs, not of functions. */
  readonly operators: Map<string, OperatorUse>;
  /** Elements of all tensors, and numbers in attributes. */
  parameters: number;
  readonly inputs: OnnxValue[];
  readonly outputs: GraphOutput[];
  externalTensors: number;
  external: ExternalTensor | undefined;
  readonly stringNormalizers: Frame[];
};

/** Reads a whole file once, weights excepted. Throws `model-invalid` where it is not what onnx.proto describes. */
export async function surveyModel(reader: FileReader): Promise<Survey> {
  const surveyor = new Surveyor(reader);
  await surveyor.model(wholeFile(reader));
  return surveyor.found;
}

/** Where a node is. Functions have opsets of their own, and may go unused. */
type Place = 'graph' | 'subgraph' | 'function';

class Surveyor {
  readonly found: Survey = {
    irVersion: 0,
    producer: '',
    producerVersion: '',
    opsets: new Map(),
    functions: new Set(),
    graph: undefined,
    operators: new Map(),
    parameters: 0,
    inputs: [],
    outputs: [],
    externalTensors: 0,
    external: undefined,
    stringNormalizers: [],
  };
  readonly #reader: FileReader;
  #valuesBytes = 0;
  #opsets = 0;

  constructor(reader: FileReader) {
    this.#reader = reader;
  }

  async model(frame: Frame): Promise<void> {
    const { found } = this;
    const reader = this.#reader;
    await walk(reader, frame, (field) => {
      switch (field.number) {
        case 1:
          if (field.wire === VARINT) found.irVersion = field.value;
          return undefined;
        case 2:
          return readName(reader, field, found, 'producer');
        case 3:
          return readName(reader, field, found, 'producerVersion');
        case 7:
          if (found.graph !== undefined) throw damagedAt(field.start, 'a second graph');
          found.graph = frameOf('Graph', field, frame, this.#reader);
          return this.#graph(found.graph, 'graph');
        case 8:
          return this.#opset(frameOf('OperatorSetId', field, frame, this.#reader));
        case 25:
          return this.#function(frameOf('Function', field, frame, this.#reader));
        default:
          return undefined;
      }
    });
  }

  async #opset(frame: Frame): Promise<void> {
    const { domain = '', version = 0 } = await readMessage(this.#reader, 'Opset', frame, MOST_NAME_BYTES);
    this.#opsets += 1;
    if (this.#opsets > MOST_OPSETS) throw damagedAt(frame.start, `more than ${MOST_OPSETS} opsets`);
    this.found.opsets.set(standardDomain(domain), version);
  }

  async #function(frame: Frame): Promise<void> {
    const said = { name: '', domain: '' };
    const reader = this.#reader;
    await walk(reader, frame, (field) => {
      if (field.number === 1) return readName(reader, field, said, 'name');
      if (field.number === 10) return readName(reader, field, said, 'domain');
      if (field.number === 7) return this.#node(frameOf('Node', field, frame, reader), 'function');
      if (field.number === 11) return this.#attribute(frameOf('Attribute', field, frame, reader), 'function');
      return undefined;
    });
    const { functions } = this.found;
    if (functions.size === MOST_FUNCTIONS) throw damagedAt(frame.start, `more than ${MOST_FUNCTIONS} functions`);
    functions.add(`${standardDomain(said.domain)}:${said.name}`);
  }

  async #graph(frame: Frame, place: Place): Promise<void> {
    const reader = this.#reader;
    await walk(reader, frame, (field) => {
      switch (field.number) {
        case 1:
          return this.#node(frameOf('Node', field, frame, reader), place);
        case 5:
          return this.#tensor(frameOf('Tensor', field, frame, reader));
        case 15:
          return this.#sparseTensor(frameOf('SparseTensor', field, frame, reader));
        case 11:
        case 12:
          return place === 'graph' ? this.#value(frameOf('ValueInfo', field, frame, reader), field.number) : undefined;
        default:
          return undefined;
      }
    });
  }

  async #value(frame: Frame, number: number): Promise<void> {
    this.#valuesBytes += frame.end - frame.start;
    const { inputs, outputs } = this.found;
    if (this.#valuesBytes > MOST_VALUES_BYTES || inputs.length + outputs.length === MOST_VALUES)
      throw damagedAt(frame.start, 'inputs and outputs beyond measure');
    const value = await readMessage(this.#reader, 'Value', frame, MOST_VALUES_BYTES);
    if (number === 11) inputs.push(value);
    else outputs.push({ frame, value });
  }

  async #node(frame: Frame, place: Place): Promise<void> {
    const reader = this.#reader;
    const said = { node: '', name: '', domain: '' };
    await walk(reader, frame, (field) => {
      switch (field.number) {
        case 3:
          return readName(reader, field, said, 'node');
        case 4:
          return readName(reader, field, said, 'name');
        case 5:
          return this.#attribute(frameOf('Attribute', field, frame, reader), place === 'graph' ? 'subgraph' : place);
        case 7:
          return readName(reader, field, said, 'domain');
        default:
          return undefined;
      }
    });
    const domain = standardDomain(said.domain);
    if (said.name === 'StringNormalizer' && domain === '') this.#keepNormalizer(frame);
    if (place !== 'function') this.#count(frame, { ...said, domain });
  }

  #keepNormalizer(frame: Frame): void {
    const { stringNormalizers } = this.found;
    if (stringNormalizers.length === MOST_NORMALIZERS) throw damagedAt(frame.start, 'StringNormalizers beyond measure');
    stringNormalizers.push(frame);
  }

  #count(frame: Frame, { domain, name, node }: { domain: string; name: string; node: string }): void {
    const { operators } = this.found;
    const key = `${domain}:${name}`;
    const use = operators.get(key);
    if (use !== undefined) {
      use.count += 1;
      return;
    }
    if (operators.size === MOST_OPERATORS)
      throw damagedAt(frame.start, `more than ${MOST_OPERATORS} different operators`);
    operators.set(key, { domain, name, count: 1, node: printable(node) });
  }

  async #attribute(frame: Frame, place: Place): Promise<void> {
    const reader = this.#reader;
    await walk(reader, frame, (field) => {
      switch (field.number) {
        case 5:
        case 10:
          return this.#tensor(frameOf('Tensor', field, frame, reader));
        case 6:
        case 11:
          return this.#graph(frameOf('Graph', field, frame, reader), place);
        case 22:
        case 23:
          return this.#sparseTensor(frameOf('SparseTensor', field, frame, reader));
        case 7:
          // One by one as older exporters write floats, or all of them packed.
          this.found.parameters += field.wire === FIXED32 ? 1 : field.value / 4;
          return undefined;
        default:
          return undefined;
      }
    });
  }

  async #sparseTensor(frame: Frame): Promise<void> {
    await walk(this.#reader, frame, (field) =>
      field.number === 1 || field.number === 2
        ? this.#tensor(frameOf('Tensor', field, frame, this.#reader))
        : undefined,
    );
  }

  async #tensor(frame: Frame): Promise<void> {
    const reader = this.#reader;
    const said = { name: '', location: '' };
    let elements = 1;
    let isExternal = false;
    await walk(reader, frame, (field) => {
      switch (field.number) {
        case 1:
          if (field.wire === LENGTH) return this.#packedDims(field.value).then((product) => multiply(product));
          multiply(field.value);
          return undefined;
        case 8:
          return readName(reader, field, said, 'name');
        case 13:
          return this.#location(frameOf('StringStringEntry', field, frame, reader), said);
        case 14:
          isExternal = field.value === 1;
          return undefined;
        default:
          return undefined;
      }
    });
    function multiply(by: number): void {
      elements *= by;
    }
    this.found.parameters += elements;
    if (!isExternal) return;
    this.found.externalTensors += 1;
    this.found.external ??= { name: printable(said.name), location: printable(said.location, 200) };
  }

  async #location(frame: Frame, said: { location: string }): Promise<void> {
    const { key, value } = await readMessage(this.#reader, 'Entry', frame, 2 * MOST_NAME_BYTES);
    if (key === 'location') said.location = value ?? '';
  }

  async #packedDims(length: number): Promise<number> {
    let elements = 1;
    const end = this.#reader.position + length;
    while (this.#reader.position < end) {
      await this.#reader.load(MOST_VARINT_BYTES);
      elements *= this.#reader.varint();
    }
    return elements;
  }
}
