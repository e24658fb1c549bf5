import { Failure } from '../../core/failure.ts';
import type { Reservation, ReserveAnswer } from '../../core/ports/limits.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from '../../core/units.ts';
import type { Key } from './keys.ts';
import type { Item, Table } from './table.ts';

const MOST_TRIES = 20;
/**
 * Places end by the second, those that last longer by the minute or quarter of an hour: an unsettled one up to so much late. An item
 * has 280 such ends then, 5 KB of the 400 that it may have, as each KB is paid for with every write; of jobs of 15 minutes 140.
 */
const BUCKET = /^in_(\d+)$/;
const STEPS = [
  { withinMs: 2 * MINUTE_MS, stepMs: SECOND_MS },
  { withinMs: HOUR_MS, stepMs: MINUTE_MS },
  { withinMs: Number.POSITIVE_INFINITY, stepMs: 15 * MINUTE_MS },
] as const;
/** What has ended is looked for this often, by whoever comes: one more write a second of a busy tenant. */
const LOOK_S = 1;

/** Where a reservation was counted. */
export type Place = { readonly dayStartMs: number; readonly bucketS: number };
type Asked = Omit<Reservation, 'tenant' | 'id'>;
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

  async reserve(key: Key, reservation: Asked, nowMs: number): Promise<Reserved> {
    const { computeMs, dailyComputeMs, inFlightLimit } = reservation;
    const place = { dayStartMs: dayOf(nowMs), bucketS: bucketOf(reservation.expiresAtMs, nowMs) };
    for (let tries = 0; tries < MOST_TRIES; tries += 1) {
      const added = await this.#table.change(key, {
        text: 'ADD usedMs :compute, inFlight :one, #bucket :one',
        condition: 'dayStartMs = :day AND usedMs <= :most AND inFlight < :limit AND lookS > :now',
        once: true,
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
        if (await this.#reserveAnew(key, seen, { ...reservation, place }, nowMs)) return { kind: 'granted', place };
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
      once: true,
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

  /** Begins the day, frees the places that have ended and takes one, in one write; where there is none to take, without. */
  async #reserveAnew(
    key: Key,
    seen: Item | undefined,
    { computeMs, dailyComputeMs, inFlightLimit, place }: Asked & { readonly place: Place },
    nowMs: number,
  ): Promise<boolean> {
    const { set, remove, names, values, freed, isNewDay, condition } = bringUp(seen, nowMs);
    const usedMs = isNewDay ? 0 : Number(seen?.usedMs);
    if (usedMs + computeMs > dailyComputeMs || Number(seen?.inFlight ?? 0) - freed >= inFlightLimit) {
      await this.#bringUpTo(key, seen, nowMs);
      return false;
    }
    // Others take and give places meanwhile, which look at nothing that is looked at here.
    const inFlight = seen === undefined ? '' : ' AND inFlight < :limit';
    const { written } = await this.#table.change(key, {
      text: `SET ${set}${isNewDay ? ', usedMs = :compute' : ''}${remove} ADD inFlight :more, #bucket :one${isNewDay ? '' : ', usedMs :compute'}`,
      condition: `${condition}${inFlight}${isNewDay ? '' : ' AND usedMs <= :most'}`,
      once: true,
      names: { ...names, '#bucket': `in_${place.bucketS}` },
      values: {
        ...values,
        ':more': 1 - freed,
        ':one': 1,
        ':compute': computeMs,
        ...(seen !== undefined && { ':limit': inFlightLimit + freed }),
        ...(!isNewDay && { ':most': dailyComputeMs - computeMs }),
      },
      returned: 'NONE',
    });
    return written;
  }

  /** Begins the day and frees the places that have ended; of concurrent callers one does. */
  async #bringUpTo(key: Key, seen: Item | undefined, nowMs: number): Promise<{ item: Item | undefined }> {
    if (seen !== undefined && !isBehind(seen, nowMs)) return { item: seen };
    const { set, remove, names, values, freed, isNewDay, condition } = bringUp(seen, nowMs);
    return this.#table.change(key, {
      text: `SET ${set}${isNewDay ? ', usedMs = :zero' : ''}${remove} ADD inFlight :less`,
      condition,
      ...(Object.keys(names).length > 0 && { names }),
      values: { ...values, ':less': -freed, ...(isNewDay && { ':zero': 0 }) },
    });
  }
}

/** The second in which a place ends that is to be free by then. */
function bucketOf(expiresAtMs: number, nowMs: number): number {
  const { stepMs } = STEPS.find(({ withinMs }) => expiresAtMs - nowMs <= withinMs)!;
  return (Math.ceil(expiresAtMs / stepMs) * stepMs) / SECOND_MS;
}

/** The parts of an update that begins the day and forgets the places that have ended, `freed` of them. */
function bringUp(seen: Item | undefined, nowMs: number) {
  const ended = Object.entries(seen ?? {}).filter(([name]) => endOf(name) <= nowMs);
  const names = Object.fromEntries(ended.map(([name], at) => [`#e${at}`, name]));
  const isNewDay = seen === undefined || Number(seen.dayStartMs) < dayOf(nowMs);
  return {
    set: `lookS = :look${isNewDay ? ', dayStartMs = :day' : ''}`,
    remove: ended.length === 0 ? '' : ` REMOVE ${Object.keys(names).join(', ')}`,
    condition: seen === undefined ? 'attribute_not_exists(pk)' : 'lookS = :seen',
    names,
    values: {
      ':look': Math.floor(nowMs / SECOND_MS) + LOOK_S,
      ...(isNewDay && { ':day': dayOf(nowMs) }),
      ...(seen !== undefined && { ':seen': Number(seen.lookS) }),
    },
    freed: ended.reduce((sum, [, places]) => sum + Number(places), 0),
    isNewDay,
  };
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
