import type { FileHandle } from 'node:fs/promises';
import { cutShort, damagedAt } from './damage.ts';

/** What is read at once. Small beside weights, which are jumped over; large beside nodes, which are not. */
const WINDOW_BYTES = 128 * 1024;
export const MOST_VARINT_BYTES = 10;

/** Reads a file from front to back through a window, jumping over what nobody asks for. */
export class FileReader {
  readonly sizeBytes: number;
  /** Of the next byte. */
  position = 0;
  /** Looked into so far. */
  messages = 0;
  readonly #file: FileHandle;
  readonly #window: Buffer;
  #windowAt = 0;
  #valid = 0;

  constructor(file: FileHandle, sizeBytes: number) {
    this.#file = file;
    this.sizeBytes = sizeBytes;
    this.#window = Buffer.allocUnsafe(Math.min(WINDOW_BYTES, sizeBytes));
  }

  /** To be awaited where it is a promise: then the next `bytes`, or all that are left, are at hand. */
  load(bytes: number): Promise<void> | undefined {
    const offset = this.position - this.#windowAt;
    const wanted = Math.min(bytes, this.sizeBytes - this.position);
    if (offset >= 0 && offset + wanted <= this.#valid) return undefined;
    return this.#refill();
  }

  /** A number of up to ten bytes that `load` has brought, unsigned; beyond 2^53 the nearest. */
  varint(): number {
    let value = 0;
    let factor = 1;
    for (let count = 0; count < MOST_VARINT_BYTES; count += 1) {
      const offset = this.position - this.#windowAt;
      if (offset >= this.#valid) throw cutShort(1, this.sizeBytes);
      const byte = this.#window[offset]!;
      this.position += 1;
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value;
      factor *= 128;
    }
    throw damagedAt(this.position, `a number of more than ${MOST_VARINT_BYTES} bytes`);
  }

  /** The next `length` bytes, in memory of their own. */
  async bytes(length: number): Promise<Buffer> {
    const bytes = Buffer.allocUnsafe(length);
    const read = await this.#fill(bytes, this.position);
    if (read < length) throw cutShort(length - read, this.sizeBytes);
    this.position += length;
    return bytes;
  }

  /** The next `length` bytes as text, if `load` has brought them. */
  text(length: number): string {
    const offset = this.position - this.#windowAt;
    if (offset + length > this.#valid) throw cutShort(offset + length - this.#valid, this.sizeBytes);
    this.position += length;
    return this.#window.toString('utf8', offset, offset + length);
  }

  async #refill(): Promise<void> {
    this.#windowAt = this.position;
    this.#valid = await this.#fill(this.#window, this.position);
  }

  async #fill(target: Buffer, from: number): Promise<number> {
    let filled = 0;
    while (filled < target.length) {
      const { bytesRead } = await this.#file.read(target, filled, target.length - filled, from + filled);
      if (bytesRead === 0) break;
      filled += bytesRead;
    }
    return filled;
  }
}
