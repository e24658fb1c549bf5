import type { WatchRecord } from '../../core/operations/watch-record.ts';

/** A record with something of everything. */
export function watchRecord(atMs: number, more: Partial<WatchRecord> = {}): WatchRecord {
  return {
    atMs,
    measures: [
      { metric: 'requests', of: {}, value: 12 },
      { metric: 'error_rate', of: { model: 'm', version: '1' }, value: 0.25 },
    ],
    alarms: [
      {
        id: 'server-errors',
        of: {},
        condition: { kind: 'alarm', sinceMs: atMs - 60_000 },
        value: 0.25,
        measuredAtMs: atMs,
      },
      {
        id: 'slow-version',
        of: { model: 'm', version: '1' },
        condition: { kind: 'clearing', sinceMs: atMs, alarmSinceMs: atMs - 120_000 },
        value: 10,
        measuredAtMs: atMs,
      },
      {
        id: 'saturation',
        of: { pool: 'default' },
        condition: { kind: 'pending', sinceMs: atMs, okSinceMs: atMs - 1000 },
        value: 1,
        measuredAtMs: atMs,
      },
      {
        id: 'no-traffic',
        of: {},
        condition: { kind: 'no-data', sinceMs: atMs },
        value: undefined,
        measuredAtMs: undefined,
      },
    ],
    slots: { m: [[atMs - 300_000, 100, 3]] },
    expected: { '': 90, m: 90 },
    expectedAtMs: atMs,
    coldSinceMs: { gpu: atMs - 30_000.5 },
    checks: [{ check: 'live', atMs, ok: true, status: 200, ms: 1.5 }],
    ...more,
  };
}
