import { manifestSchema } from '../../core/models/manifest.ts';
import type { ValidationRecord } from '../../core/models/validation-record.ts';
import { DAY_MS } from '../../core/units.ts';

let count = 0;

/** A queued push of model `m`, unlike every other unless told otherwise. */
export function aValidationRecord(nowMs: number, changes: Partial<ValidationRecord> = {}): ValidationRecord {
  count += 1;
  const digits = count.toString(16);
  const model = changes.model ?? 'm';
  return {
    id: `val_${digits.padStart(32, '0')}`,
    model,
    manifest: manifestSchema.parse({ name: model }),
    modelDigest: 'a'.repeat(64),
    modelBytes: 10,
    digest: digits.padStart(64, '0'),
    pushedBy: 'key:1',
    createdAtMs: Math.floor(nowMs),
    expiresAtMs: Math.floor(nowMs) + 30 * DAY_MS,
    state: { kind: 'queued' },
    checks: [],
    epoch: 1,
    ...changes,
  };
}
