import { MIB } from '../units.ts';
import type { Tensor } from './tensor.ts';

/**
 * Most ids of a request, padding included: as many as INT64 fit into the largest body, 4 MiB. A long text among many
 * short ones would otherwise grow a small request a thousandfold.
 */
export const MOST_IDS = (4 * MIB) / 8;

/** Token ids, a row a text. */
export type TokenRows = readonly (readonly number[])[];

/** A graph input that tokenizing fills. */
export type Filled = {
  readonly name: string;
  readonly datatype: 'INT32' | 'INT64';
  /** What stands behind the tokens of a shorter row. */
  readonly pad: number;
  /** What stands for a token: its id, or the same value as for every other. */
  readonly value: 'id' | 0 | 1;
};

/** Each of `filled` as [rows, length]; no row is longer than `length`. */
export function fillTensors(filled: readonly Filled[], rows: TokenRows, length: number): Tensor[] {
  return filled.map(({ name, datatype, pad, value }) => {
    const count = rows.length * length;
    const data = datatype === 'INT64' ? wide(count, pad) : new Int32Array(count).fill(pad);
    // An id goes into the low half of its 64 bits, which stands first on every host that Node runs on: no bigint is made.
    const places = new Int32Array(data.buffer);
    const step = datatype === 'INT64' ? 2 : 1;
    for (let row = 0; row < rows.length; row += 1) writeRow(places, row * length * step, step, rows[row]!, value);
    return { name, datatype, shape: [rows.length, length], data };
  });
}

function wide(count: number, pad: number): BigInt64Array<ArrayBuffer> {
  const data = new BigInt64Array(count);
  return pad === 0 ? data : data.fill(BigInt(pad));
}

function writeRow(
  places: Int32Array,
  start: number,
  step: number,
  ids: readonly number[],
  value: Filled['value'],
): void {
  let at = start;
  for (let i = 0; i < ids.length; i += 1) {
    places[at] = value === 'id' ? ids[i]! : value;
    // The padding may have been negative.
    if (step === 2) places[at + 1] = 0;
    at += step;
  }
}
