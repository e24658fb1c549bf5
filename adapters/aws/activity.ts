import type { Clock } from '../../core/ports/clock.ts';
import type { TelemetryItem, VersionName } from '../../core/ports/telemetry.ts';
import { ROLL_UP_KEPT_MS, TELEMETRY_KEPT_MS } from '../../core/quality/telemetry-kept.ts';
import { DAY_MS, HOUR_MS, SECOND_MS } from '../../core/units.ts';
import { inParallel } from './in-parallel.ts';
import {
  ACTIVITY_SHARDS,
  ACTIVITY_SLICE_MS,
  activityKey,
  activityPartition,
  dailyActivityKey,
  dailyActivityPartition,
  type Key,
  versionOfKey,
} from './keys.ts';
import type { Table } from './table.ts';

/** Spans that are told by slices: of six hours 37 at the most, 148 small queries. */
const MOST_SLICED_MS = 6 * HOUR_MS;
const MOST_READS = 32;
/** Marks that a process remembers to have written: those of 256 versions for an hour and a half. */
const MOST_REMEMBERED = 4096;

/** Which versions were reported of, as marks that each process writes once in ten minutes and once a day. */
export class Activity {
  readonly #table: Table;
  readonly #clock: Clock;
  readonly #written = new Set<string>();

  constructor(table: Table, clock: Clock) {
    this.#table = table;
    this.#clock = clock;
  }

  /** Writes what of these reports is not marked yet. */
  async mark(items: readonly TelemetryItem[]): Promise<void> {
    const marks = new Map<string, Key & { readonly ttl: number }>();
    for (const item of items)
      for (const mark of marksOf(item)) {
        const name = `${mark.pk} ${mark.sk}`;
        if (!this.#written.has(name)) marks.set(name, mark);
      }
    if (marks.size === 0) return;
    await this.#table.putMany([...marks.values()]);
    if (this.#written.size + marks.size > MOST_REMEMBERED) this.#written.clear();
    for (const name of marks.keys()) this.#written.add(name);
  }

  async read(fromMs: number, untilMs: number): Promise<readonly VersionName[]> {
    const nowMs = this.#clock.nowMs();
    // Nobody writes of tomorrow.
    const [from, until] = [Math.max(fromMs, nowMs - ROLL_UP_KEPT_MS.hour), Math.min(untilMs, nowMs + DAY_MS)];
    if (from >= until) return [];
    const isSliced = until - from <= MOST_SLICED_MS && from > nowMs - TELEMETRY_KEPT_MS;
    const partitions = isSliced ? slicesOf(from, until) : daysOf(from, until);
    const names = new Set<string>();
    await inParallel(partitions, MOST_READS, async (partition) => {
      for await (const { sk } of this.#table.query(partition)) names.add(sk as string);
    });
    return [...names].map(versionOfKey);
  }
}

function marksOf(item: TelemetryItem): readonly (Key & { readonly ttl: number })[] {
  const { windowStartMs, shard } = item;
  const ttl = (keptMs: number) => Math.ceil((windowStartMs + keptMs) / SECOND_MS);
  return [
    { ...activityKey(item, windowStartMs, shard), ttl: ttl(TELEMETRY_KEPT_MS) },
    { ...dailyActivityKey(item, windowStartMs), ttl: ttl(ROLL_UP_KEPT_MS.hour) },
  ];
}

function slicesOf(fromMs: number, untilMs: number): readonly string[] {
  const partitions: string[] = [];
  for (let atMs = fromMs - (fromMs % ACTIVITY_SLICE_MS); atMs < untilMs; atMs += ACTIVITY_SLICE_MS)
    for (let shard = 0; shard < ACTIVITY_SHARDS; shard += 1) partitions.push(activityPartition(atMs, shard));
  return partitions;
}

function daysOf(fromMs: number, untilMs: number): readonly string[] {
  const partitions: string[] = [];
  for (let atMs = fromMs - (fromMs % DAY_MS); atMs < untilMs; atMs += DAY_MS)
    partitions.push(dailyActivityPartition(atMs));
  return partitions;
}
