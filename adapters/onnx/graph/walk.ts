import { MOST_NESTED } from './codec.ts';
import { cutShort, damagedAt } from './damage.ts';
import type { FileReader } from './file-reader.ts';

/** Protocol buffer wire types (protobuf.dev/programming-guides/encoding). */
export const VARINT = 0;
const FIXED64 = 1;
export const LENGTH = 2;
export const FIXED32 = 5;

/** Tag and length of a field are at the most this long. */
const HEAD_BYTES = 20;
const MOST_TAG = 2 ** 32;
/** What a protocol buffer may have. */
export const MOST_BYTES = 2 ** 31;

/**
 * Looked into in one file, repairs included. A language model of a hundred layers has some 10,000 nodes, attributes and tensors; two
 * million take a few seconds.
 */
const MOST_MESSAGES = 2_000_000;

/** A message as it lies in the file: its field starts at `start`, its content takes `contentAt` to `end`. */
export type Frame = {
  /** What it is, for people: `Model`, `Node`. */
  readonly what: string;
  readonly start: number;
  readonly lengthAt: number;
  readonly contentAt: number;
  readonly end: number;
  readonly around: Frame | undefined;
  readonly depth: number;
};

/** One field of a message. It is the same object for all fields of a message: read what is needed before the next one comes. */
export type Field = {
  number: number;
  wire: number;
  /** The number that it holds, or how many bytes its content has. */
  value: number;
  start: number;
  lengthAt: number;
};

/** The file as one message. */
export function wholeFile(reader: FileReader): Frame {
  return {
    what: 'Model',
    start: 0,
    lengthAt: 0,
    contentAt: 0,
    end: reader.sizeBytes,
    around: undefined,
    depth: 0,
  };
}

/** The message that a field of `around` holds. */
export function frameOf(what: string, field: Field, around: Frame, reader: FileReader): Frame {
  const { start, lengthAt } = field;
  if (field.wire !== LENGTH) throw damagedAt(start, `something else where a ${what} belongs`);
  const depth = around.depth + 1;
  if (depth > MOST_NESTED) throw damagedAt(start, `messages nested more than ${MOST_NESTED} deep`);
  reader.messages += 1;
  if (reader.messages > MOST_MESSAGES)
    throw damagedAt(start, `more than ${MOST_MESSAGES.toLocaleString('en-US')} messages`);
  return { what, start, lengthAt, contentAt: reader.position, end: reader.position + field.value, around, depth };
}

/**
 * Calls `onField` for every field of a message in order, with the reader at the field's content, and jumps over what it leaves.
 * Throws `model-invalid` where lengths do not add up.
 */
export async function walk(
  reader: FileReader,
  frame: Frame,
  onField: (field: Field) => Promise<void> | undefined,
): Promise<void> {
  const field: Field = { number: 0, wire: 0, value: 0, start: 0, lengthAt: 0 };
  reader.position = frame.contentAt;
  while (reader.position < frame.end) {
    const loading = reader.load(HEAD_BYTES);
    if (loading !== undefined) await loading;
    const next = readHead(reader, frame, field);
    const handling = onField(field);
    if (handling !== undefined) await handling;
    reader.position = next;
  }
}

/** Fills in `field` and leaves the reader at its content; returns where the next one starts. */
function readHead(reader: FileReader, frame: Frame, field: Field): number {
  field.start = reader.position;
  const tag = reader.varint();
  field.number = tag >>> 3;
  field.wire = tag & 7;
  if (tag >= MOST_TAG || field.number === 0) throw damagedAt(field.start, `no field of a ${frame.what}`);
  let next: number;
  if (field.wire === LENGTH || field.wire === VARINT) {
    field.lengthAt = reader.position;
    field.value = reader.varint();
    next = reader.position + (field.wire === LENGTH ? field.value : 0);
  } else {
    if (field.wire !== FIXED32 && field.wire !== FIXED64) throw damagedAt(field.start, `no field of a ${frame.what}`);
    next = reader.position + (field.wire === FIXED32 ? 4 : 8);
  }
  if (next <= frame.end) return next;
  // What reaches beyond the file's end while all around it does not is damage, not an early end.
  if (frame.around !== undefined)
    throw damagedAt(field.start, `a part of a ${frame.what} that is larger than the ${frame.what}`);
  throw next > MOST_BYTES
    ? damagedAt(field.start, 'an impossible length')
    : cutShort(next - reader.sizeBytes, reader.sizeBytes);
}
