import { z } from 'zod';
import type { AlarmState } from './alarm-state.ts';
import { isAlarmId } from './alarms.ts';
import { type Dimension, METRICS, type MetricName } from './metric.ts';

const time = z.number();
const of = z.partialRecord(
  z.enum(['model', 'version', 'pool', 'lane', 'tenant', 'check', 'worker', 'key'] satisfies Dimension[]),
  z.string(),
);
const condition = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.enum(['ok', 'alarm', 'no-data']), sinceMs: time }),
  z.strictObject({ kind: z.literal('pending'), sinceMs: time, okSinceMs: time }),
  z.strictObject({ kind: z.literal('clearing'), sinceMs: time, alarmSinceMs: time }),
]);
const alarm = z.strictObject({
  id: z.string().refine(isAlarmId),
  of,
  condition,
  value: z.number().optional(),
  measuredAtMs: time.optional(),
});
const measure = z.strictObject({
  metric: z.enum(Object.keys(METRICS) as [MetricName, ...MetricName[]]),
  of,
  value: z.number(),
});
/** Requests and errors of five minutes from `startMs` on. */
const slot = z.tuple([time, z.number(), z.number()]);
const check = z.strictObject({
  check: z.string(),
  atMs: time,
  ok: z.boolean(),
  /** Of the answer; 0: there was none. */
  status: z.number(),
  ms: z.number(),
});

const recordSchema = z.strictObject({
  atMs: time,
  measures: z.array(measure),
  alarms: z.array(alarm),
  /** By model, the last six hours. */
  slots: z.record(z.string(), z.array(slot)),
  /** Requests that usually come in the quarter of an hour that ends now, by model; as of `expectedAtMs`. */
  expected: z.record(z.string(), z.number()),
  expectedAtMs: time,
  /** By pool, since when its jobs wait for a first worker. */
  coldSinceMs: z.record(z.string(), time),
  /** The last sixty, oldest first. */
  checks: z.array(check),
});

export type CheckResult = z.infer<typeof check>;
export type Slot = z.infer<typeof slot>;

/** All that one look at a region hands on to the next. */
export type WatchRecord = Omit<z.infer<typeof recordSchema>, 'alarms'> & { readonly alarms: readonly AlarmState[] };

/** Throws on what `writeWatchRecord` did not make. */
export function readWatchRecord(text: string): WatchRecord {
  const { alarms, ...record } = recordSchema.parse(JSON.parse(text));
  return {
    ...record,
    alarms: alarms.map((read) => ({ ...read, value: read.value, measuredAtMs: read.measuredAtMs })) as AlarmState[],
  };
}

export function writeWatchRecord(record: WatchRecord): string {
  return JSON.stringify(record);
}
