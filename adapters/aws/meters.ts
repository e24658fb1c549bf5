import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { decodeMeter, decodeTenantUses, encodeMeter, encodeTenantUses } from '../../core/cost/meter-codec.ts';
import { firstKeptDay, METERS_KEPT_DAYS } from '../../core/cost/meter-days.ts';
import type { Clock } from '../../core/ports/clock.ts';
import type { Log } from '../../core/ports/log.ts';
import type { MeterRecord, Meters, SummedDays, TenantDay } from '../../core/ports/meters.ts';
import { DAY_MS, MIB, SECOND_MS } from '../../core/units.ts';
import { meterKey, meterPartition, SUMMED_DAYS_KEY, tenantDayBound, tenantDayKey, tenantDayPartition } from './keys.ts';
import type { Item, Table } from './table.ts';

/** Far above the largest record: a damaged one cannot take the memory of its reader. */
const MOST_DECODED_BYTES = 4 * MIB;

/** Four calls of 25. */
const PUT_AT_ONCE = 100;

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
        ttl: ttlOf(record.day),
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

  async keepTenantDays(days: readonly TenantDay[]): Promise<void> {
    const { table } = this.#parts;
    const items = days.map(({ tenant, day, uses }) => ({
      ...tenantDayKey(tenant, day),
      day,
      encoded: encodeTenantUses(uses),
      ttl: ttlOf(day),
    }));
    for (let at = 0; at < items.length; at += PUT_AT_ONCE) await table.putMany(items.slice(at, at + PUT_AT_ONCE));
  }

  async readTenantDays(tenant: string, from: number, until: number): Promise<readonly TenantDay[]> {
    const { table, clock, log } = this.#parts;
    const first = Math.max(from, firstKeptDay(clock.nowMs()));
    const days: TenantDay[] = [];
    if (first >= until) return days;
    const range = { after: tenantDayBound(first), before: tenantDayBound(until - 1) };
    for await (const { day, encoded } of table.query(tenantDayPartition(tenant), range)) {
      try {
        days.push({ tenant, day: Number(day), uses: decodeTenantUses(String(encoded)) });
      } catch (error) {
        log.error("a tenant's day cannot be read: left out", error, { tenant, day: Number(day) });
      }
    }
    return days;
  }

  async readSummed(): Promise<SummedDays | undefined> {
    const item = await this.#parts.table.get(SUMMED_DAYS_KEY);
    return item === undefined ? undefined : { since: Number(item.since), until: Number(item.until) };
  }

  async markSummed({ since, until }: SummedDays): Promise<void> {
    await this.#parts.table.change(SUMMED_DAYS_KEY, {
      text: 'SET #since = if_not_exists(#since, :since), #until = :until',
      condition: 'attribute_not_exists(pk) OR #until < :until',
      names: { '#since': 'since', '#until': 'until' },
      values: { ':since': since, ':until': until },
      returned: 'NONE',
    });
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

/** As of the end of its day. */
function ttlOf(day: number): number {
  return Math.ceil(((day + METERS_KEPT_DAYS + 1) * DAY_MS) / SECOND_MS);
}
