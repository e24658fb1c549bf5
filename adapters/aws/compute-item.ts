import { Failure } from '../../core/failure.ts';
import type { Reservation, ReserveAnswer } from '../../core/ports/limits.ts';
import { DAY_MS, SECOND_MS } from '../../core/units.ts';
import type { Key } from './keys.ts';
import type { Item, Table } from './table.ts';

const MOST_TRIES = 20;
/** Places end by the second: an unsettled one up to a second late. */
const BUCKET = /^in_(\d+)$/;
/** What has ended is looked for this often, by whoever comes: one more write a second of a busy tenant. */
const LOOK_S = 1;

/** Where a reservation was counted. */
export type Place = { readonly dayStartMs: number; readonly bucketS: number };
type Reserved = { readonly kind: 'granted'; readonly place: Place } | Exclude<ReserveAnswer, { kind: 'granted' }>;

/**
 * A tenant's places in flight and its compute of the UTC day: `usedMs` holds what was spent and what is reserved,
 * `inFlight` all places, `in_<second>` those that end by then. What has ended stays charged and frees its place when the next
 * caller sees it.
 */
export class ComputeItem {
  readonly #table: Table;

  constructor(table: Table) {
    this.#table = table;
  }

  async reserve(key: Key, reservation: Reservation, nowMs: number): Promise<Reserved> {
    const { computeMs, dailyComputeMs, inFlightLimit } = reservation;
    const place = { dayStartMs: dayOf(nowMs), bucketS: Math.ceil(reservation.expiresAtMs / SECOND_MS) };
    for (let tries = 0; tries < MOST_TRIES; tries += 1) {
      const added = await this.#table.change(key, {
        text: 'ADD usedMs :compute, inFlight :one, #bucket :one',
        condition: 'dayStartMs = :day AND usedMs <= :most AND inFlight < :limit AND lookS > :now',
        names: { '#bucket': `in_${place.bucketS}` },
        values: {
          ':compute': computeMs,
          ':one': 1,
          ':day': place.dayStartMs,
          ':most': dailyComputeMs - computeMs,
          ':limit': inFlightLimit,
          ':now': nowMs / SECOND_MS,
        },
      });
      if (added.written) return { kind: 'granted', place };
      const seen = added.item;
      if (seen === undefined || isBehind(seen, nowMs)) {
        await this.#bringUpTo(key, seen, nowMs);
      } else if (Number(seen.inFlight) >= inFlightLimit) {
        return { kind: 'in-flight-full', retryAfterMs: SECOND_MS };
      } else if (Number(seen.usedMs) + computeMs > dailyComputeMs) {
        return { kind: 'compute-spent', retryAfterMs: Number(seen.dayStartMs) + DAY_MS - nowMs };
      }
    }
    throw new Failure('overloaded', { retryAfterMs: SECOND_MS });
  }

  /** Nothing changes where the place has ended; the compute of a day that is over is not refunded. */
  async settle(key: Key, place: Place & { readonly computeMs: number }, usedMs: number, nowMs: number): Promise<void> {
    if (place.bucketS * SECOND_MS <= nowMs) return;
    const change = (isToday: boolean) => ({
      text: `ADD inFlight :less, #bucket :less${isToday ? ', usedMs :refund' : ''}`,
      condition: `attribute_exists(#bucket) AND ${isToday ? 'dayStartMs = :day' : 'dayStartMs > :day'}`,
      names: { '#bucket': `in_${place.bucketS}` },
      values: { ':less': -1, ':day': place.dayStartMs, ...(isToday && { ':refund': usedMs - place.computeMs }) },
    });
    const { written } = await this.#table.change(key, change(true));
    if (!written) await this.#table.change(key, change(false));
  }

  async usage(key: Key, nowMs: number): Promise<{ inFlight: number; computeMs: number; dayStartMs: number }> {
    const { item } = await this.#bringUpTo(key, await this.#table.get(key), nowMs);
    return {
      inFlight: Number(item?.inFlight ?? 0),
      computeMs: Number(item?.usedMs ?? 0),
      dayStartMs: Number(item?.dayStartMs ?? dayOf(nowMs)),
    };
  }

  /** Begins the day and frees the places that have ended; of concurrent callers one does. */
  async #bringUpTo(key: Key, seen: Item | undefined, nowMs: number): Promise<{ item: Item | undefined }> {
    if (seen !== undefined && !isBehind(seen, nowMs)) return { item: seen };
    const ended = Object.entries(seen ?? {}).filter(([name]) => endOf(name) <= nowMs);
    const freed = ended.reduce((sum, [, places]) => sum + Number(places), 0);
    const isNewDay = seen === undefined || Number(seen.dayStartMs) < dayOf(nowMs);
    const names = Object.fromEntries(ended.map(([name], at) => [`#e${at}`, name]));
    const set = `SET lookS = :look${isNewDay ? ', dayStartMs = :day, usedMs = :zero' : ''}`;
    const remove = ended.length === 0 ? '' : ` REMOVE ${Object.keys(names).join(', ')}`;
    return this.#table.change(key, {
      text: `${set}${remove} ADD inFlight :less`,
      condition: seen === undefined ? 'attribute_not_exists(pk)' : 'lookS = :seen',
      ...(ended.length > 0 && { names }),
      values: {
        ':look': Math.floor(nowMs / SECOND_MS) + LOOK_S,
        ':less': -freed,
        ...(isNewDay && { ':day': dayOf(nowMs), ':zero': 0 }),
        ...(seen !== undefined && { ':seen': Number(seen.lookS) }),
      },
    });
  }
}

function dayOf(nowMs: number): number {
  return Math.floor(nowMs / DAY_MS) * DAY_MS;
}

/** True if it is time to look for what has ended. */
function isBehind(item: Item, nowMs: number): boolean {
  return Number(item.dayStartMs) < dayOf(nowMs) || Number(item.lookS) * SECOND_MS <= nowMs;
}

/** When the places of an attribute end; never for one that counts none. */
function endOf(name: string): number {
  const untilS = BUCKET.exec(name)?.[1];
  return untilS === undefined ? Number.POSITIVE_INFINITY : Number(untilS) * SECOND_MS;
}
