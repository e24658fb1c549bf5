import { readFile } from 'node:fs/promises';
import type { ModelMetadata, RequestTensor } from '../clients/typescript/schema.ts';
import { type Nested, tensor } from '../clients/typescript/tensors.ts';
import { printable } from './printable.ts';

/** One of the three ways of giving inputs on a command line. */
export type GivenInputs = {
  readonly text?: readonly string[] | undefined;
  /** `name=json`. */
  readonly input?: readonly string[] | undefined;
  /** Path of a request of the Open Inference Protocol. */
  readonly file?: string | undefined;
};

export type PredictInputs = {
  readonly inputs: readonly RequestTensor[];
  readonly outputs?: readonly string[] | undefined;
};

type TensorMetadata = ModelMetadata['inputs'][number];

/** The inputs of a request; `metadata` is asked for only where datatypes and shapes are not given. Throws with what to do instead. */
export async function readInputs(given: GivenInputs, metadata: () => Promise<ModelMetadata>): Promise<PredictInputs> {
  const { text = [], input = [], file } = given;
  const ways = [text.length > 0, input.length > 0, file !== undefined].filter(Boolean).length;
  if (ways !== 1) throw new Error('Give the inputs in one way: --text "…", --input name=json, or --file request.json.');
  if (file !== undefined) return fromFile(file);
  const { name, inputs } = await metadata();
  return { inputs: text.length > 0 ? [fromTexts(name, inputs, text)] : input.map((one) => fromOption(inputs, one)) };
}

async function fromFile(file: string): Promise<PredictInputs> {
  const request = parse(await readFile(file, 'utf8'), file) as Record<string, unknown> | null;
  if (typeof request !== 'object' || request === null || !Array.isArray(request.inputs)) {
    throw new Error(`${file} holds no request: {"inputs":[{"name":…,"shape":…,"datatype":…,"data":…}]}`);
  }
  const { inputs, outputs, ...others } = request as { inputs: RequestTensor[]; outputs?: { name: string }[] };
  const unknown = Object.keys(others);
  if (unknown.length > 0) throw new Error(`${file}: ${unknown.join(', ')} cannot be sent from here; remove it.`);
  return { inputs, outputs: outputs?.map(({ name }) => name) };
}

/** For models that take texts and nothing else. */
function fromTexts(model: string, inputs: readonly TensorMetadata[], texts: readonly string[]): RequestTensor {
  const [only] = inputs;
  if (inputs.length !== 1 || only?.datatype !== 'BYTES') {
    const listed = inputs.map(describe).join(', ');
    throw new Error(`${model} takes ${listed}: give them with --input name=json, as --text is for one text input.`);
  }
  return {
    name: only.name,
    datatype: 'BYTES',
    shape: [texts.length, ...only.shape.slice(1).map(() => 1)],
    data: [...texts],
  };
}

function fromOption(inputs: readonly TensorMetadata[], option: string): RequestTensor {
  const at = option.indexOf('=');
  if (at < 1) throw new Error(`--input is written name=json, such as x=[[1,2,3,4]], not ${option}`);
  const name = option.slice(0, at);
  const found = inputs.find((each) => each.name === name);
  if (found === undefined)
    throw new Error(`There is no input ${name}: the model takes ${inputs.map(describe).join(', ')}.`);
  const value = parse(option.slice(at + 1), `--input ${name}`);
  const data = (Array.isArray(value) ? value : [value]) as Nested;
  return tensor(name, found.datatype, data, shapeOf(found, data));
}

/** A flat array fills the shape of the model where one dimension of that is free; else the array's nesting is the shape. */
function shapeOf({ shape }: TensorMetadata, data: Nested): number[] | undefined {
  const free = shape.filter((dimension) => dimension === -1).length;
  if (Array.isArray(data[0]) || shape.length < 2 || free > 1) return undefined;
  const fixed = shape.reduce((product, dimension) => (dimension === -1 ? product : product * dimension), 1);
  return shape.map((dimension) => (dimension === -1 ? Math.floor(data.length / fixed) : dimension));
}

function describe({ name, datatype, shape }: TensorMetadata): string {
  return `${printable(name)} ${datatype} [${shape.join(', ')}]`;
}

function parse(text: string, where: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new Error(`${where}: not JSON (${(cause as Error).message})`, { cause });
  }
}
