import type { Duplex } from 'node:stream';
import { KIB } from '../core/units.ts';

/*
 * What a worker and its runner say to each other over a socket pair: u32 bytes of the payload (little-endian), u8 kind,
 * 3 zero bytes, the payload. Eight bytes of header keep tensors inside the payload aligned. One request is in flight at
 * a time, so an answer needs no number.
 *
 *   load   u32 handle, 4 zero bytes, the model's path in UTF-8     → loaded: JSON · refused
 *   run    u32 handle, 4 zero bytes, encoded tensors               → done: f64 compute ms, f64 resident bytes, f64 peak bytes,
 *                                                                    tensors · refused
 *   refused: f64 ms that were spent, a reason in UTF-8
 */
export const FRAME = { load: 1, run: 2, loaded: 3, done: 4, refused: 5 } as const;
export type FrameKind = (typeof FRAME)[keyof typeof FRAME];

const HEADER_BYTES = 8;
/** Far above any batch (form-batch.ts caps its bytes) and far below what would exhaust the worker's memory. */
const MOST_PAYLOAD_BYTES = 1024 * 1024 * 1024;

/** Below this a frame is copied into one buffer: cheaper than a gathering write of two. */
const SMALL_BYTES = 16 * KIB;

/** Sends one frame with one system call. */
export function writeFrame(socket: Duplex, kind: FrameKind, head: Uint8Array, body: Uint8Array): void {
  const bytes = head.length + body.length;
  const isSmall = bytes <= SMALL_BYTES;
  const frame = Buffer.allocUnsafe(HEADER_BYTES + (isSmall ? bytes : head.length));
  frame.writeUInt32LE(bytes, 0);
  frame.writeUInt32LE(kind, 4);
  frame.set(head, HEADER_BYTES);
  if (isSmall) {
    frame.set(body, HEADER_BYTES + head.length);
    socket.write(frame);
    return;
  }
  socket.cork();
  socket.write(frame);
  socket.write(body);
  socket.uncork();
}

/** Cuts a byte stream back into frames. Payloads are views that the receiver may keep. */
export class FrameReader {
  readonly #onFrame: (kind: number, payload: Uint8Array) => void;
  #chunks: Uint8Array[] = [];
  #bytes = 0;

  constructor(onFrame: (kind: number, payload: Uint8Array) => void) {
    this.#onFrame = onFrame;
  }

  /** Throws RangeError for a length that no frame has: the other side is broken and its socket must be closed. */
  push(chunk: Uint8Array): void {
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    while (this.#bytes >= HEADER_BYTES) {
      const header = this.#peekHeader();
      const payloadBytes = header.readUInt32LE(0);
      if (payloadBytes > MOST_PAYLOAD_BYTES) throw new RangeError(`a frame of ${payloadBytes} bytes`);
      if (this.#bytes < HEADER_BYTES + payloadBytes) return;
      const frame = this.#take(HEADER_BYTES + payloadBytes);
      this.#onFrame(header[4]!, frame.subarray(HEADER_BYTES));
    }
  }

  #peekHeader(): Buffer {
    const first = this.#chunks[0]!;
    if (first.length >= HEADER_BYTES) return Buffer.from(first.buffer, first.byteOffset, HEADER_BYTES);
    // Joined once and kept joined: a header split over chunks must not be joined again for each further chunk.
    const joined = Buffer.concat(this.#chunks);
    this.#chunks = [joined];
    return joined.subarray(0, HEADER_BYTES);
  }

  #take(length: number): Uint8Array {
    this.#bytes -= length;
    const first = this.#chunks[0]!;
    if (first.length === length) {
      this.#chunks.shift();
      return first;
    }
    const all = this.#chunks.length === 1 ? first : Buffer.concat(this.#chunks);
    this.#chunks = all.length > length ? [all.subarray(length)] : [];
    return all.subarray(0, length);
  }
}
