import { DAY_MS } from '../units.ts';

/** From the start of its window on. */
export const TELEMETRY_KEPT_MS = 14 * DAY_MS;
