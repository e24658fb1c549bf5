import type { Clock } from '../../core/ports/clock.ts';
import type { Log } from '../../core/ports/log.ts';
import type {
  RolledUntil,
  RollUp,
  RollUpSpan,
  Telemetries,
  Telemetry,
  TelemetryItem,
  TelemetryStep,
  VersionName,
} from '../../core/ports/telemetry.ts';
import { readSeries, type SeriesRange } from '../../core/quality/read-series.ts';
import { Steps } from '../../core/quality/steps.ts';
import { addTelemetry, emptyTelemetry } from '../../core/quality/telemetry.ts';
import { TELEMETRY_KEPT_MS } from '../../core/quality/telemetry-kept.ts';
import { DAY_MS, MINUTE_MS, SECOND_MS } from '../../core/units.ts';
import { Activity } from './activity.ts';
import { inParallel } from './in-parallel.ts';
import { TELEMETRY_SHARDS, telemetryBound, telemetryKey, telemetryPartition } from './keys.ts';
import { RollUps } from './roll-ups.ts';
import type { Table } from './table.ts';
import { packTelemetry, unpackTelemetry } from './telemetry-codec.ts';

/** Partitions that are read at once: all shards of a day. */
const MOST_READS = TELEMETRY_SHARDS;

type Parts = { readonly table: Table; readonly clock: Clock; readonly log: Log };
type Range = Omit<SeriesRange, 'stepMs'>;
type Visit = (windowStartMs: number, telemetry: Telemetry) => void;

/**
 * An item a report, deflated, in a table of its own. A read asks each shard of each day that it touches for a range of windows, strongly: 16
 * small queries for what is younger than a day's start. An idle version costs a writer one or two write units in a window.
 * Expired items are deleted by the table, and not shown before.
 */
export class AwsTelemetry implements Telemetries {
  readonly #parts: Parts;
  readonly #activity: Activity;
  readonly #rollUps: RollUps;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#activity = new Activity(parts.table, parts.clock);
    this.#rollUps = new RollUps(parts);
  }

  async append(items: readonly TelemetryItem[]): Promise<void> {
    const { table } = this.#parts;
    await this.#activity.mark(items);
    await table.putMany(
      items.map((item) => ({
        ...telemetryKey(item),
        windowStartMs: item.windowStartMs,
        encoded: packTelemetry(item.telemetry),
        ttl: Math.ceil((item.windowStartMs + TELEMETRY_KEPT_MS) / SECOND_MS),
      })),
    );
  }

  async read(model: string, version: string, fromMs: number, untilMs: number, release?: string): Promise<Telemetry> {
    const merged = emptyTelemetry(release);
    await this.#each({ model, version, fromMs, untilMs }, (_, telemetry) => addTelemetry(merged, telemetry));
    return merged;
  }

  activeVersions(fromMs: number, untilMs: number): Promise<readonly VersionName[]> {
    return this.#activity.read(fromMs, untilMs);
  }

  series(
    model: string,
    version: string,
    fromMs: number,
    untilMs: number,
    stepMs: number,
  ): Promise<readonly TelemetryStep[]> {
    const source = {
      readRollUps: this.readRollUps.bind(this),
      rolledUntil: () => this.#rollUps.rolledUntil(),
      addReports: (steps: Steps, range: Range) => this.#each(range, (atMs, telemetry) => steps.add(atMs, telemetry)),
    };
    return readSeries(source, { model, version, fromMs, untilMs, stepMs });
  }

  async readMinutes(model: string, version: string, fromMs: number, untilMs: number): Promise<readonly RollUp[]> {
    const minutes = new Steps(fromMs - (fromMs % MINUTE_MS), MINUTE_MS);
    const range = { model, version, fromMs, untilMs };
    await this.#each(range, (atMs, telemetry) => minutes.add(atMs, telemetry));
    return minutes.inOrder().map((step) => ({ model, version, span: 'minute', ...step }));
  }

  readRollUps(
    span: RollUpSpan,
    model: string,
    version: string,
    fromMs: number,
    untilMs: number,
  ): Promise<readonly RollUp[]> {
    return this.#rollUps.read(span, { model, version }, fromMs, untilMs);
  }

  keepRollUps(rollUps: readonly RollUp[]): Promise<void> {
    return this.#rollUps.keep(rollUps);
  }

  rolledUntil(): Promise<RolledUntil | undefined> {
    return this.#rollUps.rolledUntil();
  }

  markRolled(until: RolledUntil): Promise<void> {
    return this.#rollUps.mark(until);
  }

  /** Nothing: the table deletes by `ttl`. */
  async purge(): Promise<number> {
    return 0;
  }

  async #each({ model, version, fromMs, untilMs }: Range, visit: Visit): Promise<void> {
    const { table, clock, log } = this.#parts;
    const nowMs = clock.nowMs();
    const forgottenMs = nowMs - TELEMETRY_KEPT_MS;
    // Nobody writes of tomorrow.
    const [from, until] = [Math.max(fromMs, forgottenMs), Math.min(untilMs, nowMs + DAY_MS)];
    if (from >= until) return;
    const range = { after: telemetryBound(from), before: telemetryBound(until) };
    await inParallel(partitionsOf(model, version, from, until), MOST_READS, async (partition) => {
      for await (const item of table.query(partition, range)) {
        const windowStartMs = Number(item.windowStartMs);
        if (windowStartMs <= forgottenMs) continue;
        const telemetry = unpackTelemetry(item, log);
        if (telemetry !== undefined) visit(windowStartMs, telemetry);
      }
    });
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
