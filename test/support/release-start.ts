import type { ReleaseAudit } from '../../core/ports/releases.ts';
import { releasePlanSchema } from '../../core/release/plan.ts';
import type { Release } from '../../core/release/release.ts';
import { startRelease } from '../../core/release/start.ts';

let count = 0;

/** A release of `m` from version 1 to 2 that has just been started, unlike every other unless told otherwise. */
export function aStart(
  nowMs: number,
  changes: Partial<Pick<Release, 'id' | 'model' | 'stable' | 'candidate'>> & { readonly plan?: unknown } = {},
): { release: Release; audits: readonly ReleaseAudit[] } {
  count += 1;
  const { plan = {}, ...names } = changes;
  const start = { id: `rel_${String(count).padStart(6, '0')}`, model: 'm', stable: '1', candidate: '2', ...names };
  return startRelease({ ...start, plan: releasePlanSchema.parse(plan), by: 'key:1', why: 'it is better' }, nowMs);
}
