import type { Manifest } from '../models/manifest.ts';
import type { Tenant } from '../tenancy/tenant.ts';
import { DAY_MS, MIB } from '../units.ts';

/** Hex digits of a prediction's random id that decide: shares are kept to one in four billion. */
const DIGITS = 8;

export type CaptureLimits = { readonly captures: number; readonly bytes: number };

/**
 * What is kept of one tenant's predictions by one model: ten replays of a thousand, and a quarter of a gigabyte, which is
 * 26 KB each.
 */
export const CAPTURE_LIMITS: CaptureLimits = { captures: 10_000, bytes: 256 * MIB };
/** Payload of one list: it is in memory at once. */
export const MOST_LISTED_BYTES = 64 * MIB;

/**
 * When the copy of a prediction is to be forgotten; undefined: none is kept. Only of tenants that consent, and of the share
 * of predictions that the manifest samples. `random` is the hex of a prediction's id.
 */
export function captureUntilMs(
  tenant: Pick<Tenant, 'captureConsent'>,
  { capture }: Pick<Manifest, 'capture'>,
  random: string,
  nowMs: number,
): number | undefined {
  if (capture === undefined || !tenant.captureConsent) return undefined;
  const drawn = Number.parseInt(random.slice(0, DIGITS), 16) / 16 ** DIGITS;
  return drawn < capture.share ? nowMs + capture.retentionDays * DAY_MS : undefined;
}
