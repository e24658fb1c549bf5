import { type Field, MESSAGES, type MessageName, type Messages, type OnnxModel, type ScalarKind } from './messages.ts';

/** Protocol buffer wire types (protobuf.dev/programming-guides/encoding). */
const VARINT = 0;
const FIXED64 = 1;
const LENGTH = 2;
const FIXED32 = 5;
const WIRE: Readonly<Record<ScalarKind, number>> = {
  string: LENGTH,
  bytes: LENGTH,
  int: VARINT,
  long: VARINT,
  float: FIXED32,
  double: FIXED64,
};

type Message = Record<string, unknown>;

/** As deep as Google's protocol buffer libraries read, onnxruntime's too. */
export const MOST_NESTED = 100;

/** The bytes of a `.onnx` file. Numbers are packed; absent fields and empty lists are left out. */
export function writeModel(model: OnnxModel): Uint8Array {
  const chunks: Uint8Array[] = [];
  writeMessage('Model', model, chunks);
  return Buffer.concat(chunks);
}

/** A field of many: tag, length and message, as it stands in the message around it. */
export function writeField<M extends MessageName>(number: number, name: M, message: Messages[M]): Uint8Array {
  const chunks: Uint8Array[] = [];
  writeOne(number, name, message, chunks);
  return Buffer.concat(chunks);
}

/** What one message says; fields that this codec does not know are left out. Throws where the bytes are cut short. */
export function readPart<M extends MessageName>(name: M, bytes: Uint8Array): Messages[M] {
  const part = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return readMessage(name, { bytes: part, at: 0, depth: 0, skipsUnknown: true }) as Messages[M];
}

/** Bytes of a protocol buffer's variable-length number. */
export function writeVarint(value: number): Uint8Array {
  return varint(BigInt(value));
}

/**
 * What a `.onnx` file says. Throws where the bytes are cut short, or hold a field that this codec does not know:
 * dropping it would change the model in silence. Bytes inside the result are views of `file`.
 */
export function readModel(file: Uint8Array): OnnxModel {
  return readMessage('Model', {
    bytes: Buffer.from(file.buffer, file.byteOffset, file.byteLength),
    at: 0,
    depth: 0,
    skipsUnknown: false,
  }) as OnnxModel;
}

function isScalar(kind: Field[1]): kind is ScalarKind {
  return kind in WIRE;
}

function varint(value: bigint): Uint8Array {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, value);
  while (rest > 0x7fn) {
    bytes.push(Number(rest & 0x7fn) | 0x80);
    rest >>= 7n;
  }
  bytes.push(Number(rest));
  return Uint8Array.from(bytes);
}

function scalar(kind: ScalarKind, value: unknown): Uint8Array {
  if (kind === 'string') return Buffer.from(value as string, 'utf8');
  if (kind === 'bytes') return value as Uint8Array;
  if (kind === 'int' || kind === 'long') return varint(BigInt(value as number | bigint));
  const bytes = Buffer.allocUnsafe(kind === 'float' ? 4 : 8);
  if (kind === 'float') bytes.writeFloatLE(value as number);
  else bytes.writeDoubleLE(value as number);
  return bytes;
}

function writeMessage(name: MessageName, message: object, chunks: Uint8Array[]): number {
  const start = chunks.length;
  for (const [key, [number, kind, many]] of Object.entries(MESSAGES[name]) as [string, Field][]) {
    const value = (message as Message)[key];
    if (value === undefined) continue;
    const values = many ? (value as unknown[]) : [value];
    if (values.length === 0) continue;
    if (many && isScalar(kind) && WIRE[kind] !== LENGTH) {
      const packed = Buffer.concat(values.map((each) => scalar(kind, each)));
      chunks.push(tag(number, LENGTH), varint(BigInt(packed.length)), packed);
      continue;
    }
    for (const each of values) writeOne(number, kind, each, chunks);
  }
  let size = 0;
  for (let at = start; at < chunks.length; at++) size += chunks[at]!.length;
  return size;
}

function tag(number: number, wire: number): Uint8Array {
  return varint(BigInt((number << 3) | wire));
}

function writeOne(number: number, kind: Field[1], value: unknown, chunks: Uint8Array[]): void {
  if (!isScalar(kind)) {
    const lengthAt = chunks.push(tag(number, LENGTH), new Uint8Array()) - 1;
    chunks[lengthAt] = varint(BigInt(writeMessage(kind, value as object, chunks)));
    return;
  }
  const bytes = scalar(kind, value);
  chunks.push(tag(number, WIRE[kind]));
  if (WIRE[kind] === LENGTH) chunks.push(varint(BigInt(bytes.length)));
  chunks.push(bytes);
}

type Reader = { readonly bytes: Buffer; at: number; readonly depth: number; readonly skipsUnknown: boolean };

function readVarint(reader: Reader): bigint {
  let value = 0n;
  for (let shift = 0n; shift < 70n; shift += 7n) {
    const byte = reader.bytes.readUInt8(reader.at++);
    value |= BigInt(byte & 0x7f) << shift;
    if (byte < 0x80) return BigInt.asIntN(64, value);
  }
  throw new Error(`varint longer than 10 bytes at ${reader.at}`);
}

function slice(reader: Reader): Buffer {
  const length = Number(readVarint(reader));
  const end = reader.at + length;
  if (length < 0 || end > reader.bytes.length)
    throw new Error(`${length} bytes announced at ${reader.at}, file too short`);
  const part = reader.bytes.subarray(reader.at, end);
  reader.at = end;
  return part;
}

function readScalar(kind: ScalarKind, reader: Reader): unknown {
  if (kind === 'string') return slice(reader).toString('utf8');
  if (kind === 'bytes') {
    const part = slice(reader);
    return new Uint8Array(part.buffer, part.byteOffset, part.byteLength);
  }
  if (kind === 'long') return readVarint(reader);
  if (kind === 'int') return safeInteger(readVarint(reader));
  reader.at += kind === 'float' ? 4 : 8;
  return kind === 'float' ? reader.bytes.readFloatLE(reader.at - 4) : reader.bytes.readDoubleLE(reader.at - 8);
}

function safeInteger(value: bigint): number {
  if (!Number.isSafeInteger(Number(value))) throw new Error(`integer ${value} out of range`);
  return Number(value);
}

const FIELDS = new Map(
  Object.entries(MESSAGES).map(([name, fields]) => [
    name,
    new Map((Object.entries(fields) as [string, Field][]).map(([key, field]) => [field[0], { key, field }])),
  ]),
);

function readMessage(name: MessageName, reader: Reader): Message {
  if (reader.depth > MOST_NESTED) throw new Error(`messages nested more than ${MOST_NESTED} deep`);
  const message: Message = {};
  while (reader.at < reader.bytes.length) {
    const mark = Number(readVarint(reader));
    const known = FIELDS.get(name)?.get(mark >>> 3);
    if (known === undefined) {
      if (!reader.skipsUnknown) throw new Error(`field ${mark >>> 3} of ${name} is not known to this codec`);
      skip(mark & 7, reader);
      continue;
    }
    const values = readField(known.field, mark & 7, reader);
    const earlier = message[known.key] as unknown[] | undefined;
    if (known.field[2] === undefined) message[known.key] = values.at(-1);
    else if (earlier === undefined) message[known.key] = values;
    else for (const value of values) earlier.push(value);
  }
  return message;
}

function skip(wire: number, reader: Reader): void {
  if (wire === VARINT) readVarint(reader);
  else if (wire === LENGTH) slice(reader);
  else if (wire === FIXED64 || wire === FIXED32) reader.at += wire === FIXED64 ? 8 : 4;
  else throw new Error(`wire type ${wire} at ${reader.at}`);
}

function readField([, kind]: Field, wire: number, reader: Reader): unknown[] {
  if (isScalar(kind) && wire === WIRE[kind]) return [readScalar(kind, reader)];
  if (wire !== LENGTH) throw new Error(`wire type ${wire} where ${kind} is expected, at ${reader.at}`);
  const packed: Reader = { ...reader, bytes: slice(reader), at: 0, depth: reader.depth + 1 };
  if (!isScalar(kind)) return [readMessage(kind, packed)];
  const values: unknown[] = [];
  while (packed.at < packed.bytes.length) values.push(readScalar(kind, packed));
  return values;
}
