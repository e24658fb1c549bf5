import { deflateRawSync, inflateRawSync } from 'node:zlib';
import type { Clock } from '../../core/ports/clock.ts';
import type { Log } from '../../core/ports/log.ts';
import type { Telemetries, Telemetry, TelemetryItem } from '../../core/ports/telemetry.ts';
import { decodeTelemetry, encodeTelemetry } from '../../core/quality/encode-telemetry.ts';
import { mergeTelemetry } from '../../core/quality/telemetry.ts';
import { TELEMETRY_KEPT_MS } from '../../core/quality/telemetry-kept.ts';
import { DAY_MS, MIB, SECOND_MS } from '../../core/units.ts';
import { inParallel } from './in-parallel.ts';
import { TELEMETRY_SHARDS, telemetryBound, telemetryKey, telemetryPartition } from './keys.ts';
import type { Item, QueryOptions, Table } from './table.ts';

/** Partitions that are read at once: all shards of a day. */
const MOST_READS = TELEMETRY_SHARDS;
/** Far above the largest item: a damaged one cannot take the memory of its reader. */
const MOST_DECODED_BYTES = 8 * MIB;
/** Items that are merged together. */
const MERGED_AT_ONCE = 64;

type Parts = { readonly table: Table; readonly clock: Clock; readonly log: Log };

/**
 * An item a report, deflated, in a table of its own. A read asks each shard of each day that it touches for a range of windows, strongly: 16
 * small queries for what is younger than a day's start. An idle version costs a writer one or two write units in a window.
 * Expired items are deleted by the table, and not shown before.
 */
export class AwsTelemetry implements Telemetries {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  async append(items: readonly TelemetryItem[]): Promise<void> {
    const { table } = this.#parts;
    await table.putMany(
      items.map((item) => ({
        ...telemetryKey(item),
        windowStartMs: item.windowStartMs,
        encoded: deflateRawSync(encodeTelemetry(item.telemetry)),
        ttl: Math.ceil((item.windowStartMs + TELEMETRY_KEPT_MS) / SECOND_MS),
      })),
    );
  }

  async read(model: string, version: string, fromMs: number, untilMs: number, release?: string): Promise<Telemetry> {
    const nowMs = this.#parts.clock.nowMs();
    const forgottenMs = nowMs - TELEMETRY_KEPT_MS;
    // Nobody writes of tomorrow.
    const [from, until] = [Math.max(fromMs, forgottenMs), Math.min(untilMs, nowMs + DAY_MS)];
    if (from >= until) return mergeTelemetry([], release);
    const range = { after: telemetryBound(from), before: telemetryBound(until) };
    const parts = await inParallel(partitionsOf(model, version, from, until), MOST_READS, (partition) =>
      this.#readPartition(partition, range, release, forgottenMs),
    );
    return mergeTelemetry(parts, release);
  }

  /** Nothing: the table deletes by `ttl`. */
  async purge(): Promise<number> {
    return 0;
  }

  async #readPartition(
    partition: string,
    range: QueryOptions,
    release: string | undefined,
    forgottenMs: number,
  ): Promise<Telemetry> {
    let merged = mergeTelemetry([], release);
    let some: Telemetry[] = [];
    for await (const item of this.#parts.table.query(partition, range)) {
      if (Number(item.windowStartMs) <= forgottenMs) continue;
      const telemetry = this.#decode(item);
      if (telemetry !== undefined) some.push(telemetry);
      if (some.length < MERGED_AT_ONCE) continue;
      merged = mergeTelemetry([merged, ...some], release);
      some = [];
    }
    return mergeTelemetry([merged, ...some], release);
  }

  #decode({ pk, sk, encoded }: Item): Telemetry | undefined {
    try {
      const text = inflateRawSync(encoded as Uint8Array, { maxOutputLength: MOST_DECODED_BYTES });
      return decodeTelemetry(text.toString());
    } catch (error) {
      this.#parts.log.error('telemetry cannot be read: left out', error, { item: `${pk} ${sk}` });
      return undefined;
    }
  }
}

/** All shards of each day that windows from `fromMs` until `untilMs` start in. */
function partitionsOf(model: string, version: string, fromMs: number, untilMs: number): readonly string[] {
  const partitions: string[] = [];
  for (let day = Math.floor(fromMs / DAY_MS); day * DAY_MS < untilMs; day += 1)
    for (let shard = 0; shard < TELEMETRY_SHARDS; shard += 1)
      partitions.push(telemetryPartition(model, version, day * DAY_MS, shard));
  return partitions;
}
