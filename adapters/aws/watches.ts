import { gunzipSync, gzipSync } from 'node:zlib';
import { readWatchRecord, type WatchRecord, writeWatchRecord } from '../../core/operations/watch-record.ts';
import type { Log } from '../../core/ports/log.ts';
import type { Watches } from '../../core/ports/watches.ts';
import { MIB } from '../../core/units.ts';
import { WATCH_KEY } from './keys.ts';
import type { Table } from './table.ts';

const MOST_BYTES = 4 * MIB;

/** One item of the telemetry table, replaced once a minute: JSON of numbers and names, a tenth of its size once it is compressed. */
export class AwsWatches implements Watches {
  readonly #table: Table;
  readonly #log: Log;

  constructor(table: Table, log: Log) {
    this.#table = table;
    this.#log = log;
  }

  async save(record: WatchRecord): Promise<void> {
    const item = { ...WATCH_KEY, atMs: record.atMs, record: gzipSync(writeWatchRecord(record)) };
    await this.#table.put(item, { text: 'attribute_not_exists(pk) OR atMs <= :at', values: { ':at': record.atMs } });
  }

  async latest(): Promise<WatchRecord | undefined> {
    const item = await this.#table.get(WATCH_KEY);
    try {
      return item && readWatchRecord(gunzipSync(item.record as Uint8Array, { maxOutputLength: MOST_BYTES }).toString());
    } catch (error) {
      this.#log.error('what was measured last cannot be read: it is measured anew', error);
      return undefined;
    }
  }
}
