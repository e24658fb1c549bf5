import type { RollUpSpan } from '../ports/telemetry.ts';
import { DAY_MS } from '../units.ts';

/** From the start of its window on. */
export const TELEMETRY_KEPT_MS = 14 * DAY_MS;

/** From its start on. Minutes stay a day longer than the reports that they were made of, hours over a year and a month. */
export const ROLL_UP_KEPT_MS: Readonly<Record<RollUpSpan, number>> = { minute: 15 * DAY_MS, hour: 400 * DAY_MS };
