import type { Platform } from '../ports/platform.ts';
import { DAY_MS } from '../units.ts';
import type { Measure } from './metric.ts';

/** One that is over for longer is missed by nobody. */
const MISSED_MS = 7 * DAY_MS;

/** Days until keys of operators and admins expire. Tenants look after their own: their keys are in lists of theirs. */
export async function measureKeys(
  { registry }: Pick<Platform, 'registry'>,
  nowMs: number,
): Promise<readonly Measure[]> {
  const keys = await registry.listKeys(undefined);
  return keys.flatMap(({ id, expiresAtMs, revokedAtMs }) => {
    if (expiresAtMs === undefined || revokedAtMs !== undefined || nowMs - expiresAtMs > MISSED_MS) return [];
    return [{ metric: 'key_days_left', of: { key: id }, value: (expiresAtMs - nowMs) / DAY_MS } as const];
  });
}
