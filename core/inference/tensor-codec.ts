import { Failure } from '../failure.ts';
import {
  allocate,
  DATATYPES,
  type Datatype,
  elementBytes,
  elementCount,
  type Tensor,
  type TensorData,
} from './tensor.ts';

/*
 * One format for tensors at rest and between processes, little-endian (the byte order of every host Node runs on):
 *
 *   u8 format version, 3 zero bytes, u32 number of tensors, then for each tensor
 *   u32 bytes of the name, u32 bytes of the data, u8 datatype (its place in DATATYPES), u8 rank, 6 zero bytes,
 *   rank × f64 dimensions, the name in UTF-8, zeros to a multiple of 8, the data, zeros to a multiple of 8.
 *
 * Data is the typed array's bytes; BYTES is per element u32 bytes and UTF-8. Data starts at a multiple of 8, so that
 * a reader whose buffer is aligned can use it in place. Dimensions are f64 because a shape may be longer than 2^32 where
 * another dimension is 0.
 */
const FORMAT = 1;
const LIST_HEADER_BYTES = 8;
const TENSOR_HEADER_BYTES = 16;
const MAX_RANK = 255;
const TYPE_NUMBER = new Map<Datatype, number>(DATATYPES.map((datatype, number) => [datatype, number]));
const EMPTY = Object.fromEntries(DATATYPES.map((datatype) => [datatype, allocate(datatype, 0)])) as Record<
  Datatype,
  TensorData
>;
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * The tensors as one buffer of their own, to be read by `decodeTensors`. Text that is not well-formed UTF-16 comes back
 * with U+FFFD in place of lone surrogates. Throws RangeError for a tensor of more than 4 GiB or 255 dimensions.
 */
export function encodeTensors(tensors: readonly Tensor[]): Uint8Array<ArrayBuffer> {
  const nameBytes = tensors.map((tensor) => Buffer.byteLength(tensor.name));
  const sizes = tensors.map((tensor) => dataBytes(tensor.data));
  let total = LIST_HEADER_BYTES;
  for (let i = 0; i < tensors.length; i++) {
    const rank = tensors[i]!.shape.length;
    if (rank > MAX_RANK || sizes[i]! > 0xffffffff) throw new RangeError(`tensor ${i} is too large to encode`);
    total += aligned(TENSOR_HEADER_BYTES + 8 * rank + nameBytes[i]!) + aligned(sizes[i]!);
  }
  const bytes = Buffer.from(new ArrayBuffer(total));
  bytes[0] = FORMAT;
  bytes.writeUInt32LE(tensors.length, 4);
  let at = LIST_HEADER_BYTES;
  for (let i = 0; i < tensors.length; i++) at = writeTensor(bytes, at, tensors[i]!, nameBytes[i]!, sizes[i]!);
  return bytes;
}

/**
 * What `encodeTensors` wrote. Arrays are views into `bytes` where `bytes` starts at a multiple of 8 in its buffer (copies
 * otherwise), so the caller gives `bytes` away. Throws `record-damaged` for bytes that are too short, too long or name
 * sizes that do not fit; reads no byte outside `bytes` and allocates no more than its size allows.
 */
export function decodeTensors(bytes: Uint8Array): Tensor[] {
  const source = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (source.length < LIST_HEADER_BYTES) throw damaged('shorter than its header');
  if (source[0] !== FORMAT) throw damaged(`format ${source[0]} is not known`);
  const count = source.readUInt32LE(4);
  const tensors: Tensor[] = [];
  let at = LIST_HEADER_BYTES;
  for (let i = 0; i < count; i++) {
    const place = findTensor(source, at);
    tensors.push(readTensor(source, place));
    at = place.endAt;
  }
  if (at !== source.length) throw damaged('goes on after its last tensor');
  return tensors;
}

/** Where the parts of one tensor are; all of them inside the source. */
type Place = {
  datatypeNumber: number;
  shapeAt: number;
  nameAt: number;
  nameEnd: number;
  dataAt: number;
  dataBytes: number;
  endAt: number;
};

function writeTensor(bytes: Buffer, start: number, tensor: Tensor, nameBytes: number, dataBytes: number): number {
  const { name, datatype, shape, data } = tensor;
  bytes.writeUInt32LE(nameBytes, start);
  bytes.writeUInt32LE(dataBytes, start + 4);
  bytes[start + 8] = TYPE_NUMBER.get(datatype)!;
  bytes[start + 9] = shape.length;
  let at = start + TENSOR_HEADER_BYTES;
  for (const dimension of shape) at = bytes.writeDoubleLE(dimension, at);
  at = aligned(at + bytes.write(name, at));
  if (Array.isArray(data)) writeTexts(bytes, at, data);
  else bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), at);
  return at + aligned(dataBytes);
}

function writeTexts(bytes: Buffer, start: number, texts: readonly string[]): void {
  let at = start;
  for (const text of texts) {
    const written = bytes.write(text, at + 4);
    bytes.writeUInt32LE(written, at);
    at += 4 + written;
  }
}

function findTensor(source: Buffer, at: number): Place {
  if (at + TENSOR_HEADER_BYTES > source.length) throw damaged('ends inside a header');
  const dataBytes = source.readUInt32LE(at + 4);
  const shapeAt = at + TENSOR_HEADER_BYTES;
  const nameAt = shapeAt + 8 * source[at + 9]!;
  const nameEnd = nameAt + source.readUInt32LE(at);
  const dataAt = aligned(nameEnd);
  const endAt = dataAt + aligned(dataBytes);
  if (endAt > source.length) throw damaged('ends inside a tensor');
  return { datatypeNumber: source[at + 8]!, shapeAt, nameAt, nameEnd, dataAt, dataBytes, endAt };
}

function readTensor(source: Buffer, place: Place): Tensor {
  const datatype = DATATYPES[place.datatypeNumber];
  if (datatype === undefined) throw damaged('datatype is not known');
  const shape: number[] = [];
  for (let at = place.shapeAt; at < place.nameAt; at += 8) {
    const dimension = source.readDoubleLE(at);
    if (!Number.isSafeInteger(dimension) || dimension < 0) throw damaged('a dimension is not a whole number');
    shape.push(dimension);
  }
  const length = elementCount(shape);
  const data = datatype === 'BYTES' ? readTexts(source, place) : readNumbers(source, place, datatype);
  if (data.length !== length) throw damaged('data does not fill its shape');
  return { name: text(source, place.nameAt, place.nameEnd), datatype, shape, data };
}

function readTexts(source: Buffer, place: Place): string[] {
  const texts: string[] = [];
  const end = place.dataAt + place.dataBytes;
  let at = place.dataAt;
  while (at < end) {
    const textAt = at + 4;
    const next = textAt <= end ? textAt + source.readUInt32LE(at) : Number.POSITIVE_INFINITY;
    if (next > end) throw damaged('ends inside a text');
    texts.push(text(source, textAt, next));
    at = next;
  }
  return texts;
}

function readNumbers(source: Buffer, place: Place, datatype: Exclude<Datatype, 'BYTES'>): TensorData {
  const size = elementBytes(datatype);
  if (place.dataBytes % size !== 0) throw damaged('data ends inside an element');
  const length = place.dataBytes / size;
  const NumberArray = arrayType(datatype);
  const offset = source.byteOffset + place.dataAt;
  if (offset % size === 0) return new NumberArray(source.buffer, offset, length);
  const copy = new Uint8Array(source.subarray(place.dataAt, place.dataAt + place.dataBytes));
  return new NumberArray(copy.buffer, 0, length);
}

type ArrayOnBuffer = new (buffer: ArrayBufferLike, byteOffset: number, length: number) => Exclude<TensorData, string[]>;

function arrayType(datatype: Exclude<Datatype, 'BYTES'>): ArrayOnBuffer {
  return EMPTY[datatype].constructor as ArrayOnBuffer;
}

function text(source: Buffer, start: number, end: number): string {
  try {
    return utf8.decode(source.subarray(start, end));
  } catch (cause) {
    throw damaged('text is not UTF-8', cause);
  }
}

/** What the elements take when encoded. */
export function dataBytes(data: TensorData): number {
  if (!Array.isArray(data)) return data.byteLength;
  let bytes = 4 * data.length;
  for (const element of data) bytes += Buffer.byteLength(element);
  return bytes;
}

/** The next multiple of 8. Not by bit masks: offsets may pass 2^31. */
function aligned(offset: number): number {
  return Math.ceil(offset / 8) * 8;
}

function damaged(what: string, cause?: unknown): Failure {
  return new Failure('record-damaged', { detail: `encoded tensors: ${what}` }, { cause });
}
