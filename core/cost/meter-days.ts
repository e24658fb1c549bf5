import { DAY_MS } from '../units.ts';

/** A year and a month: the same month of the year before can be compared. */
export const METERS_KEPT_DAYS = 400;

/** The UTC day that a moment is in, as days since 1970. */
export function dayOf(atMs: number): number {
  return Math.floor(atMs / DAY_MS);
}

/** The first day that is still kept. */
export function firstKeptDay(nowMs: number): number {
  return dayOf(nowMs) - METERS_KEPT_DAYS;
}

/** `2026-11-28`. */
export function dayText(day: number): string {
  return new Date(day * DAY_MS).toISOString().slice(0, 10);
}

/** The first day of the UTC month that a day is in. */
export function monthStart(day: number): number {
  const date = new Date(day * DAY_MS);
  return dayOf(Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), 1));
}
