import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { decodeMeter, encodeMeter } from '../../core/cost/meter-codec.ts';
import { firstKeptDay, METERS_KEPT_DAYS } from '../../core/cost/meter-days.ts';
import type { Clock } from '../../core/ports/clock.ts';
import type { Log } from '../../core/ports/log.ts';
import type { MeterRecord, Meters } from '../../core/ports/meters.ts';
import { DAY_MS, MIB, SECOND_MS } from '../../core/units.ts';
import { meterKey, meterPartition } from './keys.ts';
import type { Item, Table } from './table.ts';

/** Far above the largest record: a damaged one cannot take the memory of its reader. */
const MOST_DECODED_BYTES = 4 * MIB;

type Parts = { readonly table: Table; readonly clock: Clock; readonly log: Log };

/**
 * An item a record, deflated, in the table of telemetry: a day is a partition, which its workers write once an interval each. A record of a few
 * tenants costs one write unit. Expired items are deleted by the table, and not shown before.
 */
export class AwsMeters implements Meters {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  async save(record: MeterRecord): Promise<void> {
    const { upMs } = record.worker;
    await this.#parts.table.put(
      {
        ...meterKey(record),
        upMs,
        encoded: deflateRawSync(encodeMeter(record)),
        ttl: Math.ceil(((record.day + METERS_KEPT_DAYS + 1) * DAY_MS) / SECOND_MS),
      },
      { text: 'attribute_not_exists(pk) OR upMs <= :upMs', values: { ':upMs': upMs } },
    );
  }

  async read(day: number): Promise<readonly MeterRecord[]> {
    const { table, clock } = this.#parts;
    const records: MeterRecord[] = [];
    if (day < firstKeptDay(clock.nowMs())) return records;
    for await (const item of table.query(meterPartition(day))) {
      const record = this.#decode(item);
      if (record !== undefined) records.push(record);
    }
    return records;
  }

  async purge(): Promise<number> {
    return 0;
  }

  #decode({ pk, sk, encoded }: Item): MeterRecord | undefined {
    try {
      const text = inflateRawSync(encoded as Uint8Array, { maxOutputLength: MOST_DECODED_BYTES });
      return decodeMeter(text.toString());
    } catch (error) {
      this.#parts.log.error('a meter record cannot be read: left out', error, { item: `${pk} ${sk}` });
      return undefined;
    }
  }
}
