import { Failure } from '../failure.ts';
import type { InferRequest } from '../inference/request.ts';
import {
  allocate,
  type Datatype,
  elementBytes,
  elementCount,
  type Tensor,
  type TensorData,
} from '../inference/tensor.ts';
import { isUsableText, textInvalid } from './elements.ts';
import { encodeElements } from './encode-elements.ts';
import { decodeUtf8, parseJson } from './json.ts';
import { decodeInfer, type InferResponse } from './oip-json.ts';

const LENGTH_HEADER = 'Inference-Header-Content-Length';
/** Before each BYTES element. */
const PREFIX_BYTES = 4;
const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const TO_UTF8 = new TextEncoder();

/**
 * The infer request in a body of the binary tensor extension: JSON as long as `headerLength` (the value of
 * Inference-Header-Content-Length) says, then in order the little-endian elements of the inputs that have a `binary_data_size`.
 * Arrays are copies, so they are aligned and keep nothing of the body alive. Every length that does not add up, bytes
 * left over too, is `binary-length-invalid`. `model` as in `decodeInfer`.
 */
export function decodeInferBinary(body: Uint8Array, headerLength: string, model?: string): InferRequest {
  const jsonBytes = /^[0-9]{1,10}$/.test(headerLength) ? Number(headerLength) : 0;
  if (jsonBytes === 0 || jsonBytes > body.length) throw lengthInvalid(LENGTH_HEADER, { received: body.length });
  let at = jsonBytes;
  const take = (sizeBytes: number, datatype: Datatype, shape: readonly number[], field: string): TensorData => {
    const end = at + sizeBytes;
    if (end > body.length) throw lengthInvalid(`${field}.parameters.binary_data_size`, { received: body.length - at });
    const bytes = body.subarray(at, end);
    at = end;
    return datatype === 'BYTES' ? readTexts(bytes, shape, field) : readElements(bytes, datatype, shape, field);
  };
  const request = decodeInfer(parseJson(decodeUtf8(body.subarray(0, jsonBytes))), take, model);
  if (at !== body.length) throw lengthInvalid('body', { expected: at, received: body.length });
  return request;
}

function readElements(
  bytes: Uint8Array,
  datatype: Exclude<Datatype, 'BYTES'>,
  shape: readonly number[],
  field: string,
): TensorData {
  const count = elementCount(shape);
  const expected = count * elementBytes(datatype);
  if (bytes.length !== expected) {
    throw lengthInvalid(`${field}.parameters.binary_data_size`, { expected, received: bytes.length });
  }
  const data = allocate(datatype, count) as Exclude<TensorData, string[]>;
  new Uint8Array(data.buffer).set(bytes);
  if (datatype === 'BOOL') {
    const wrong = (data as Uint8Array).findIndex((value) => value > 1);
    if (wrong !== -1) throw new Failure('element-invalid', { field, index: wrong, detail: 'BOOL bytes are 0 or 1' });
  }
  return data;
}

function readTexts(bytes: Uint8Array, shape: readonly number[], field: string): string[] {
  const count = elementCount(shape);
  const sizeField = `${field}.parameters.binary_data_size`;
  if (bytes.length < count * PREFIX_BYTES) throw lengthInvalid(sizeField, { received: bytes.length });
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const texts = new Array<string>(count);
  let at = 0;
  for (let i = 0; i < count; i += 1) {
    const start = at + PREFIX_BYTES;
    const end = start > bytes.length ? Number.POSITIVE_INFINITY : start + view.getUint32(at, true);
    if (end > bytes.length) throw lengthInvalid(sizeField, { index: i, received: bytes.length });
    texts[i] = textOf(bytes.subarray(start, end), field, i);
    at = end;
  }
  if (at !== bytes.length) throw lengthInvalid(sizeField, { expected: at, received: bytes.length });
  return texts;
}

function textOf(bytes: Uint8Array, field: string, index: number): string {
  let text: string;
  try {
    text = UTF8.decode(bytes);
  } catch {
    throw new Failure('text-invalid', { field, index, detail: 'not UTF-8' });
  }
  if (!isUsableText(text)) throw textInvalid(field, index);
  return text;
}

function lengthInvalid(field: string, facts: Readonly<Record<string, number>>): Failure {
  return new Failure('binary-length-invalid', { field, ...facts });
}

/** Names of the outputs that go back in binary, of those the model gave. */
export function binaryOutputs(
  request: Pick<InferRequest, 'outputs' | 'binaryByDefault'>,
  outputs: readonly Tensor[],
): ReadonlySet<string> {
  if (request.outputs === undefined)
    return new Set(request.binaryByDefault ? outputs.map((output) => output.name) : []);
  return new Set(request.outputs.filter((output) => output.binary).map((output) => output.name));
}

/**
 * The response with the outputs in `binary` after the JSON, in order. Send it as application/octet-stream with
 * `headerLength` in Inference-Header-Content-Length.
 */
export function encodeInferBinary(
  response: InferResponse,
  binary: ReadonlySet<string>,
): { body: Uint8Array; headerLength: number } {
  const parts: Uint8Array[] = [];
  const outputs = response.outputs.map((tensor) => {
    const { name, datatype, shape } = tensor;
    if (!binary.has(name)) return { name, datatype, shape, data: encodeElements(tensor) };
    const bytes = toBytes(tensor.data);
    parts.push(bytes);
    return { name, datatype, shape, parameters: { binary_data_size: bytes.length } };
  });
  const { model, version, id } = response;
  const header = TO_UTF8.encode(JSON.stringify({ model_name: model, model_version: version, id, outputs }));
  return { body: concatenate([header, ...parts]), headerLength: header.length };
}

function toBytes(data: TensorData): Uint8Array {
  if (!Array.isArray(data)) return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  return concatenate(
    data.flatMap((text) => {
      const bytes = TO_UTF8.encode(text);
      const prefix = new Uint8Array(PREFIX_BYTES);
      new DataView(prefix.buffer).setUint32(0, bytes.length, true);
      return [prefix, bytes];
    }),
  );
}

function concatenate(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
