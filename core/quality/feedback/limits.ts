import { DAY_MS } from '../../units.ts';

/** Rows of a prediction that is kept: with the longest labels 100 KB, and as much again for the truth. */
export const MOST_KEPT_ROWS = 512;
/** How long after its end a prediction is known to have been kept: who is late is told so. */
export const TOLD_LATE_MS = 7 * DAY_MS;
/** Of tallies: a year, and the month before it to compare with. */
export const TALLIES_KEPT_MS = 400 * DAY_MS;
