import { deflateRawSync, inflateRawSync } from 'node:zlib';
import type { Clock } from '../../core/ports/clock.ts';
import type { Log } from '../../core/ports/log.ts';
import {
  QUALITY_STATE_KEPT_DAYS,
  QUALITY_WINDOW_KEPT_DAYS,
  type QualityReports,
} from '../../core/ports/quality-reports.ts';
import {
  type JudgedWindow,
  judgedWindowSchema,
  type QualityState,
  type QualitySummary,
  qualityStateSchema,
  qualitySummarySchema,
  readRecord,
  summaryOf,
  writeRecord,
} from '../../core/quality/drift/quality-record.ts';
import { type Reference, readReference, writeReference } from '../../core/quality/drift/reference.ts';
import { orLeftOut } from '../../core/release/release-record.ts';
import { DAY_MS, MIB, SECOND_MS } from '../../core/units.ts';
import {
  QUALITY_SUMMARIES,
  qualityReferenceKey,
  qualityStateKey,
  qualitySummaryKey,
  qualityWindowKey,
  qualityWindowPartition,
  telemetryBound,
} from './keys.ts';
import type { Item, Table } from './table.ts';

/** Far above the largest record: a damaged one cannot take the memory of its reader. */
const MOST_DECODED_BYTES = 8 * MIB;
/** Writers of one version at once that may each come between another's transaction. */
const MOST_TRIES = 10;

type Parts = { readonly table: Table; readonly clock: Clock; readonly log: Log };

/**
 * Beside the telemetry they are made of: a version's state and its summary change in one transaction, with the windows that were judged. Expired items are
 * deleted by the table, and not shown before; whoever looks at a version puts off its expiry.
 */
export class AwsQualityReports implements QualityReports {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  async readState(model: string, version: string): Promise<QualityState | undefined> {
    const item = await this.#read(qualityStateKey(model, version));
    return item && readRecord(qualityStateSchema, `quality of ${model}@${version}`, textOf(item));
  }

  async writeState(state: QualityState, judged: readonly JudgedWindow[]): Promise<boolean> {
    const { model, version, epoch, checkedAtMs } = state;
    const { table, clock } = this.#parts;
    const ttl = ttlAt(checkedAtMs, QUALITY_STATE_KEPT_DAYS);
    const record = packed(writeRecord(qualityStateSchema, state));
    const isNext = {
      text: epoch === 1 ? 'attribute_not_exists(pk) OR #ttl <= :now' : 'epoch = :before AND #ttl > :now',
      names: { '#ttl': 'ttl' },
      values: { ':now': clock.nowMs() / SECOND_MS, ...(epoch > 1 && { ':before': epoch - 1 }) },
    };
    const writes = [
      { put: { ...qualityStateKey(model, version), epoch, record, ttl }, condition: isNext },
      {
        put: {
          ...qualitySummaryKey(model, version),
          record: packed(writeRecord(qualitySummarySchema, summaryOf(state))),
          ttl,
        },
      },
      ...judged.map((window) => ({
        put: {
          ...qualityWindowKey(model, version, window.untilMs),
          record: packed(writeRecord(judgedWindowSchema, window)),
          ttl: ttlAt(window.untilMs, QUALITY_WINDOW_KEPT_DAYS),
        },
      })),
    ];
    for (let tries = 1; ; tries += 1) {
      const answer = await table.transact(...writes);
      if (answer !== 'conflict' || tries === MOST_TRIES) return answer === 'written';
    }
  }

  async listSummaries(): Promise<readonly QualitySummary[]> {
    return this.#list(QUALITY_SUMMARIES, qualitySummarySchema, {});
  }

  async listWindows(model: string, version: string, limit: number): Promise<readonly JudgedWindow[]> {
    const { clock } = this.#parts;
    const after = telemetryBound(clock.nowMs() - QUALITY_WINDOW_KEPT_DAYS * DAY_MS);
    const range = { after, before: telemetryBound(Number.MAX_SAFE_INTEGER), newestFirst: true, limit };
    return this.#list(qualityWindowPartition(model, version), judgedWindowSchema, range);
  }

  async readReference(model: string, version: string): Promise<Reference | undefined> {
    const item = await this.#read(qualityReferenceKey(model, version));
    return item && readReference(`${model}@${version}`, textOf(item));
  }

  async writeReference(model: string, version: string, reference: Reference): Promise<void> {
    const record = packed(writeReference(reference));
    await this.#parts.table.put({ ...qualityReferenceKey(model, version), record });
  }

  /** Nothing: the table deletes by `ttl`. */
  async purge(): Promise<number> {
    return 0;
  }

  async #read(key: { readonly pk: string; readonly sk: string }): Promise<Item | undefined> {
    const item = await this.#parts.table.get(key);
    return item === undefined || this.#isExpired(item) ? undefined : item;
  }

  async #list<T>(
    partition: string,
    schema: Parameters<typeof readRecord<T>>[0],
    range: Parameters<Table['query']>[1],
  ): Promise<readonly T[]> {
    const found: T[] = [];
    for await (const item of this.#parts.table.query(partition, range)) {
      if (this.#isExpired(item)) continue;
      const name = `${item.pk} ${item.sk}`;
      found.push(...orLeftOut(this.#parts.log, () => readRecord(schema, name, textOf(item)), name));
    }
    return found;
  }

  #isExpired({ ttl }: Item): boolean {
    return ttl !== undefined && Number(ttl) * SECOND_MS <= this.#parts.clock.nowMs();
  }
}

function packed(text: string): Uint8Array {
  return deflateRawSync(text);
}

function textOf({ record }: Item): string {
  try {
    return inflateRawSync(record as Uint8Array, { maxOutputLength: MOST_DECODED_BYTES }).toString();
  } catch {
    // No JSON: `record-damaged` for whoever parses it.
    return '';
  }
}

function ttlAt(atMs: number, days: number): number {
  return Math.ceil((atMs + days * DAY_MS) / SECOND_MS);
}
