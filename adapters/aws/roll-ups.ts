import { z } from 'zod';
import type { Clock } from '../../core/ports/clock.ts';
import type { Log } from '../../core/ports/log.ts';
import type { RolledUntil, RollUp, RollUpSpan, VersionName } from '../../core/ports/telemetry.ts';
import { ROLL_UP_KEPT_MS } from '../../core/quality/telemetry-kept.ts';
import { SECOND_MS } from '../../core/units.ts';
import { inParallel } from './in-parallel.ts';
import { ROLL_UP_PARTITION_MS, ROLLED_UNTIL_KEY, rollUpKey, rollUpPartition, telemetryBound } from './keys.ts';
import type { Item, Table } from './table.ts';
import { packTelemetry, unpackTelemetry } from './telemetry-codec.ts';

/** Writes at once, and partitions that are read at once. */
const MOST_CALLS = 16;

const time = z.number();
const rolledSchema = z.object({ sinceMs: time, minutesMs: time, settledMs: time, hoursMs: time });

/** Roll-ups as items of the telemetry's table, each written on the condition that there is none of more reports. */
export class RollUps {
  readonly #parts: { readonly table: Table; readonly clock: Clock; readonly log: Log };

  constructor(parts: { readonly table: Table; readonly clock: Clock; readonly log: Log }) {
    this.#parts = parts;
  }

  async keep(rollUps: readonly RollUp[]): Promise<void> {
    await inParallel(rollUps, MOST_CALLS, async (rollUp) => {
      const { span, startMs, reports, telemetry } = rollUp;
      const item = {
        ...rollUpKey(rollUp),
        startMs,
        reports,
        encoded: packTelemetry(telemetry),
        ttl: Math.ceil((startMs + ROLL_UP_KEPT_MS[span]) / SECOND_MS),
      };
      await this.#parts.table.put(item, {
        text: 'attribute_not_exists(pk) OR reports <= :reports',
        values: { ':reports': reports },
      });
    });
  }

  async read(
    span: RollUpSpan,
    { model, version }: VersionName,
    fromMs: number,
    untilMs: number,
  ): Promise<readonly RollUp[]> {
    const { clock, table, log } = this.#parts;
    // One that is as old as they are kept is as if forgotten; nobody rolls up what is yet to come.
    const from = Math.max(fromMs, clock.nowMs() - ROLL_UP_KEPT_MS[span] + 1);
    const until = Math.min(untilMs, clock.nowMs() + ROLL_UP_PARTITION_MS.minute);
    if (from >= until) return [];
    const range = { after: telemetryBound(from), before: telemetryBound(until) };
    const toRollUp = (item: Item): RollUp | undefined => {
      const telemetry = unpackTelemetry(item, log);
      if (telemetry === undefined) return undefined;
      return { span, model, version, startMs: Number(item.startMs), reports: Number(item.reports), telemetry };
    };
    const parts = await inParallel(partitionsOf(span, { model, version }, from, until), MOST_CALLS, async (pk) => {
      const found: RollUp[] = [];
      for await (const item of table.query(pk, range))
        found.push(...[toRollUp(item)].filter((one) => one !== undefined));
      return found;
    });
    return parts.flat();
  }

  async rolledUntil(): Promise<RolledUntil | undefined> {
    const item = await this.#parts.table.get(ROLLED_UNTIL_KEY);
    return item === undefined ? undefined : rolledSchema.parse(item);
  }

  /** Of two at once the second one takes what the first wrote into account. */
  async mark(until: RolledUntil): Promise<void> {
    for (let before = await this.rolledUntil(); ; ) {
      const next = before === undefined ? until : furtherOf(before, until);
      const condition =
        before === undefined
          ? { text: 'attribute_not_exists(pk)' }
          : {
              text: 'minutesMs = :minutes AND settledMs = :settled AND hoursMs = :hours',
              values: { ':minutes': before.minutesMs, ':settled': before.settledMs, ':hours': before.hoursMs },
            };
      const { written } = await this.#parts.table.put({ ...ROLLED_UNTIL_KEY, ...next }, condition);
      if (written) return;
      before = await this.rolledUntil();
    }
  }
}

function furtherOf(before: RolledUntil, until: RolledUntil): RolledUntil {
  return {
    sinceMs: before.sinceMs,
    minutesMs: Math.max(before.minutesMs, until.minutesMs),
    settledMs: Math.max(before.settledMs, until.settledMs),
    hoursMs: Math.max(before.hoursMs, until.hoursMs),
  };
}

/** In order of time. */
function partitionsOf(span: RollUpSpan, version: VersionName, fromMs: number, untilMs: number): readonly string[] {
  const partitions: string[] = [];
  const each = ROLL_UP_PARTITION_MS[span];
  for (let atMs = Math.floor(fromMs / each) * each; atMs < untilMs; atMs += each)
    partitions.push(rollUpPartition(span, version, atMs));
  return partitions;
}
