import { Failure } from '../failure.ts';
import type { StoredAnswer } from '../ports/answer-store.ts';
import { decodeTensors, encodeTensors } from './tensor-codec.ts';

/** f64 expiry, u32 bytes of the version, 4 zero bytes; then the version, zeros to a multiple of 8, the outputs. */
const HEADER_BYTES = 16;

/** An answer as bytes of their own. */
export function encodeAnswer({ version, outputs, expiresAtMs }: StoredAnswer): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  const name = Buffer.from(version);
  header.writeDoubleLE(expiresAtMs);
  header.writeUInt32LE(name.length, 8);
  return Buffer.concat([header, name, Buffer.alloc(-name.length & 7), encodeTensors(outputs)]);
}

/** What `encodeAnswer` wrote, in memory of its own; throws `record-damaged`. */
export function decodeAnswer(encoded: Uint8Array): StoredAnswer {
  const bytes = aligned(encoded);
  const nameEnd = bytes.length < HEADER_BYTES ? Number.POSITIVE_INFINITY : HEADER_BYTES + bytes.readUInt32LE(8);
  const outputsAt = Math.ceil(nameEnd / 8) * 8;
  if (outputsAt > bytes.length) throw new Failure('record-damaged', { detail: 'a kept answer ends early' });
  return {
    version: bytes.toString('utf8', HEADER_BYTES, nameEnd),
    outputs: decodeTensors(bytes.subarray(outputsAt)),
    expiresAtMs: bytes.readDoubleLE(),
  };
}

/** In a buffer of its own: a slice of a shared one would keep all of that alive. */
function aligned(bytes: Uint8Array): Buffer {
  const own = Buffer.from(new ArrayBuffer(bytes.length));
  own.set(bytes);
  return own;
}
