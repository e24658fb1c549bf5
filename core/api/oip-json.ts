import { Failure } from '../failure.ts';
import type { InferRequest } from '../inference/request.ts';
import { DATATYPES, type Datatype, type Tensor, type TensorData } from '../inference/tensor.ts';
import { decodeElements, isUsableText } from './elements.ts';
import { encodeElements } from './encode-elements.ts';
import { expectArray, expectObject, invalidField, MAX_TENSOR_DEPTH, parseJson, unknownField } from './json.ts';
import { inputParameters, outputParameters, requestParameters } from './oip-parameters.ts';

/** Takes the next `sizeBytes` of the binary part as the elements of one tensor. */
export type TakeBinary = (sizeBytes: number, datatype: Datatype, shape: readonly number[], field: string) => TensorData;

/** One answered prediction: `id` is what the caller sent, or else the prediction's own. */
export type InferResponse = {
  readonly model: string;
  readonly version: string;
  readonly id: string;
  readonly outputs: readonly Tensor[];
};

const MAX_ID_CHARACTERS = 256;
const DATATYPE_NAMES: ReadonlySet<unknown> = new Set(DATATYPES);

/** The infer request in a JSON body without a binary part. Any text gives a request or a `Failure`; `model` as in `decodeInfer`. */
export function decodeInferJson(text: string, model?: string): InferRequest {
  return decodeInfer(parseJson(text), undefined, model);
}

/**
 * The infer request in a parsed body. Unknown keys are refused. null stands for an optional member that is absent, as
 * some clients write it. KServe's client repeats the model's name in the body: it must be `model` where that is given.
 */
export function decodeInfer(json: unknown, takeBinary: TakeBinary | undefined, model?: string): InferRequest {
  const body = expectObject(json, 'body');
  for (const key in body) {
    if (key !== 'inputs' && key !== 'id' && key !== 'outputs' && key !== 'parameters' && key !== 'model_name') {
      throw unknownField('', key);
    }
  }
  if (body.model_name !== undefined) checkModelName(body.model_name, model);
  const parameters = body.parameters == null ? undefined : requestParameters(body.parameters);
  const binaryByDefault = parameters?.binaryByDefault ?? false;
  return {
    clientId: body.id == null ? undefined : clientIdOf(body.id),
    inputs: decodeInputs(body.inputs, takeBinary),
    outputs: body.outputs == null ? undefined : decodeOutputs(body.outputs, binaryByDefault),
    binaryByDefault,
    timeoutMs: parameters?.timeoutMs,
  };
}

/**
 * One tensor `{name, shape, datatype, data, parameters?}`; `field` is where it stands, such as `inputs[0]`.
 * The product of the shape is the number of elements. A dimension may be 0.
 */
export function decodeTensor(json: unknown, field: string, takeBinary?: TakeBinary): Tensor {
  const tensor = expectObject(json, field);
  for (const key in tensor) {
    if (key !== 'name' && key !== 'shape' && key !== 'datatype' && key !== 'data' && key !== 'parameters') {
      throw unknownField(field, key);
    }
  }
  const name = nameOf(tensor.name, field);
  const datatype = datatypeOf(tensor.datatype, field);
  const shape = shapeOf(tensor.shape, field);
  const sizeBytes = tensor.parameters == null ? undefined : inputParameters(tensor.parameters, field);
  if (sizeBytes === undefined) {
    return { name, datatype, shape, data: decodeElements(datatype, shape, tensor.data, `${field}.data`) };
  }
  if (tensor.data !== undefined || takeBinary === undefined) {
    const detail = 'binary_data_size goes with a binary part and without data';
    throw new Failure('binary-length-invalid', { field: `${field}.parameters.binary_data_size`, detail });
  }
  return { name, datatype, shape, data: takeBinary(sizeBytes, datatype, shape, field) };
}

/** The response body. Elements are flat, in row-major order, written as `encodeElements` says. */
export function encodeInferJson(response: InferResponse): string {
  return JSON.stringify({
    model_name: response.model,
    model_version: response.version,
    id: response.id,
    outputs: response.outputs.map((tensor) => ({
      name: tensor.name,
      datatype: tensor.datatype,
      shape: tensor.shape,
      data: encodeElements(tensor),
    })),
  });
}

function decodeInputs(json: unknown, takeBinary: TakeBinary | undefined): Tensor[] {
  const list = expectArray(json, 'inputs');
  const inputs = new Array<Tensor>(list.length);
  for (let i = 0; i < list.length; i += 1) inputs[i] = decodeTensor(list[i], `inputs[${i}]`, takeBinary);
  refuseDuplicates(inputs, 'inputs');
  return inputs;
}

function decodeOutputs(json: unknown, binaryByDefault: boolean): { name: string; binary: boolean }[] | undefined {
  const outputs = expectArray(json, 'outputs').map((entry, i) => {
    const field = `outputs[${i}]`;
    const output = expectObject(entry, field);
    for (const key in output) if (key !== 'name' && key !== 'parameters') throw unknownField(field, key);
    const binary = output.parameters == null ? undefined : outputParameters(output.parameters, field);
    return { name: nameOf(output.name, field), binary: binary ?? binaryByDefault };
  });
  refuseDuplicates(outputs, 'outputs');
  // An empty list asks for none in particular, which the protocol takes as all.
  return outputs.length === 0 ? undefined : outputs;
}

function refuseDuplicates(named: readonly { readonly name: string }[], field: string): void {
  if (named.length < 2) return;
  const seen = new Set<string>();
  for (const [i, { name }] of named.entries()) {
    if (seen.has(name)) throw invalidField(`${field}[${i}].name`, 'stands there twice');
    seen.add(name);
  }
}

function shapeOf(json: unknown, field: string): readonly number[] {
  const shape = expectArray(json, `${field}.shape`);
  if (shape.length > MAX_TENSOR_DEPTH)
    throw invalidField(`${field}.shape`, `has more than ${MAX_TENSOR_DEPTH} dimensions`);
  for (const dimension of shape) {
    if (typeof dimension !== 'number' || dimension < 0 || !Number.isSafeInteger(dimension)) {
      throw invalidField(`${field}.shape`, 'must hold whole numbers from 0 up');
    }
  }
  return shape as readonly number[];
}

function datatypeOf(json: unknown, field: string): Datatype {
  if (DATATYPE_NAMES.has(json)) return json as Datatype;
  if (typeof json !== 'string') throw invalidField(`${field}.datatype`, 'must be a string');
  throw new Failure('datatype-unsupported', { field: `${field}.datatype`, known: DATATYPES });
}

function nameOf(json: unknown, field: string): string {
  if (typeof json !== 'string') throw invalidField(`${field}.name`, 'must be a string');
  return json;
}

function clientIdOf(id: unknown): string {
  if (typeof id !== 'string' || id.length > MAX_ID_CHARACTERS) {
    throw invalidField('id', `must be a string of at most ${MAX_ID_CHARACTERS} characters`);
  }
  if (!isUsableText(id)) throw new Failure('text-invalid', { field: 'id' });
  return id;
}

function checkModelName(json: unknown, model: string | undefined): void {
  if (typeof json !== 'string') throw invalidField('model_name', 'must be a string');
  if (model !== undefined && json !== model) throw invalidField('model_name', 'is not the model in the path');
}
