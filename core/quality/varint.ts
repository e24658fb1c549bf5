/** Whole numbers from 0 to 2^53 - 1 as LEB128: seven bits a byte, the least first. */
export class VarintWriter {
  readonly #bytes: number[] = [];

  write(value: number): void {
    if (!Number.isSafeInteger(value) || value < 0) throw new RangeError(`not a whole number to encode: ${value}`);
    let rest = value;
    while (rest >= 128) {
      this.#bytes.push((rest % 128) | 128);
      rest = Math.floor(rest / 128);
    }
    this.#bytes.push(rest);
  }

  bytes(): Uint8Array {
    return Uint8Array.from(this.#bytes);
  }
}

/** Reads what `VarintWriter` wrote. Throws a RangeError where the bytes end early or a number is too large. */
export class VarintReader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get ended(): boolean {
    return this.#at >= this.#bytes.length;
  }

  read(): number {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = this.#bytes[this.#at];
      if (byte === undefined) throw new RangeError('the encoding ends early');
      this.#at += 1;
      value += (byte & 127) * scale;
      if (!Number.isSafeInteger(value)) throw new RangeError('an encoded number is too large');
      if (byte < 128) return value;
    }
  }
}
