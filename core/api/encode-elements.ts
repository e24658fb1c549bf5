import type { Tensor, TensorData } from '../inference/tensor.ts';

type JsonElement = number | string | boolean | null;

/**
 * The elements as `JSON.stringify` takes them, flat; `decodeElements` reads the same values back. INT64 and UINT64 beyond
 * ±(2^53 − 1) are decimal strings, as I-JSON (RFC 7493, 2.2) has them: most readers would round a number. FP32 in few digits:
 * rounding to float32 gives the same bits. What JSON has no number for is null: NaN, and the infinities, which are NaN
 * when read back (MLServer does the same; Triton writes NaN, which no JSON parser reads). -0 is 0. The binary extension keeps every bit.
 */
export function encodeElements(tensor: Tensor): readonly JsonElement[] {
  const { data } = tensor;
  switch (tensor.datatype) {
    case 'BYTES':
      return data as string[];
    case 'BOOL':
      return Array.from(data as Uint8Array, (value) => value !== 0);
    case 'FP32':
      return shortened(data as Float32Array);
    case 'FP16':
      return Array.from(halves(data as Uint16Array));
    case 'INT64':
      return signedBig(data as BigInt64Array);
    case 'UINT64':
      return unsignedBig(data as BigUint64Array);
    default:
      return Array.from(data as Exclude<TensorData, string[] | BigInt64Array | BigUint64Array>);
  }
}

function halves(bits: Uint16Array): Float16Array {
  return new Float16Array(bits.buffer, bits.byteOffset, bits.length);
}

/**
 * Eight decimals where they are enough, which for probabilities they mostly are: 12 characters instead of 19, and
 * printing takes 80 ns an element instead of 110.
 */
function shortened(data: Float32Array): number[] {
  const numbers = new Array<number>(data.length);
  for (let i = 0; i < data.length; i += 1) {
    const exact = data[i]!;
    const short = Math.round(exact * 1e8) / 1e8;
    numbers[i] = Math.fround(short) === exact ? short : exact;
  }
  return numbers;
}

const TWO_32 = 2 ** 32;
/** The high word of integers that a double holds exactly: 53 bits less the low 32. */
const SAFE_HIGH = 2 ** 21;

/** Read as two 32-bit words each, low first, which spares a BigInt for all but the large ones. */
function signedBig(data: BigInt64Array): JsonElement[] {
  const low = new Uint32Array(data.buffer, data.byteOffset, data.length * 2);
  const high = new Int32Array(data.buffer, data.byteOffset, data.length * 2);
  const elements = new Array<JsonElement>(data.length);
  for (let i = 0; i < data.length; i += 1) {
    const top = high[i * 2 + 1]!;
    const value = top * TWO_32 + low[i * 2]!;
    // -2^53 has a high word in range and is not safe.
    const safe = top < SAFE_HIGH && value >= Number.MIN_SAFE_INTEGER;
    elements[i] = safe ? value : String(data[i]!);
  }
  return elements;
}

function unsignedBig(data: BigUint64Array): JsonElement[] {
  const words = new Uint32Array(data.buffer, data.byteOffset, data.length * 2);
  const elements = new Array<JsonElement>(data.length);
  for (let i = 0; i < data.length; i += 1) {
    const top = words[i * 2 + 1]!;
    elements[i] = top < SAFE_HIGH ? top * TWO_32 + words[i * 2]! : String(data[i]!);
  }
  return elements;
}
