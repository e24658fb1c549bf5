import { deflateRawSync, inflateRawSync } from 'node:zlib';
import type { Log } from '../../core/ports/log.ts';
import type { Telemetry } from '../../core/ports/telemetry.ts';
import { decodeTelemetry, encodeTelemetry } from '../../core/quality/encode-telemetry.ts';
import { MIB } from '../../core/units.ts';
import type { Item } from './table.ts';

/** Far above the largest item: a damaged one cannot take the memory of its reader. */
const MOST_DECODED_BYTES = 8 * MIB;

/** Deflated: a busy version's report is a third of its text. */
export function packTelemetry(telemetry: Telemetry): Uint8Array {
  return deflateRawSync(encodeTelemetry(telemetry));
}

/** Undefined of an item that cannot be read, which is logged without anything of it. */
export function unpackTelemetry({ pk, sk, encoded }: Item, log: Log): Telemetry | undefined {
  try {
    const text = inflateRawSync(encoded as Uint8Array, { maxOutputLength: MOST_DECODED_BYTES });
    return decodeTelemetry(text.toString());
  } catch (error) {
    log.error('telemetry cannot be read: left out', error, { item: `${pk} ${sk}` });
    return undefined;
  }
}
