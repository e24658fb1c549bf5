import type { WatchRecord } from '../operations/watch-record.ts';

/** What a region measured of itself last, so that whoever measures next, after a restart too, goes on from there. */
export interface Watches {
  /** Replaces the record unless the one that is there is younger; durable when it resolves. At most 4 MiB of JSON. */
  save(record: WatchRecord): Promise<void>;
  /** As it was saved last; undefined: never, or it cannot be read, which is logged. */
  latest(): Promise<WatchRecord | undefined>;
}
