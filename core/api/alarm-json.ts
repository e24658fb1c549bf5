import { z } from 'zod';
import type { AlarmState } from '../operations/alarm-state.ts';
import { ALARM_IDS, keyOf, ruleOf } from '../operations/alarms.ts';
import { metricOf } from '../operations/metric.ts';
import type { CheckResult } from '../operations/watch-record.ts';

/** Where sections of the runbook are, for whoever has configured nothing. */
const RUNBOOK = 'docs/runbook.md';

const id = z.string();
const of = z
  .strictObject({ model: id, version: id, pool: id, lane: id, tenant: id, check: id, worker: id, key: id })
  .partial();

export const alarmJson = z
  .strictObject({
    /** Of this alarm of this model, pool or whatever it is of. */
    id,
    /** Of the alarm, as its section of the runbook is called. */
    name: z.enum(ALARM_IDS as [string, ...string[]]),
    /** `page`: somebody should be woken. */
    severity: z.enum(['page', 'ticket']),
    state: z.enum(['ok', 'alarm', 'no-data']),
    of,
    /** As it was last measured. */
    value: z.number().nullable(),
    threshold: z.number(),
    /** Whether values below the threshold, or from it on, are an alarm. */
    is: z.enum(['at-least', 'below']),
    unit: z.string(),
    says: z.string(),
    /** Since when it is in this state. */
    since: z.iso.datetime(),
    runbook_url: z.string(),
  })
  .meta({ id: 'Alarm' });

export const checkJson = z
  .strictObject({
    check: z.string(),
    at: z.iso.datetime(),
    ok: z.boolean(),
    /** HTTP status; 0: no answer came. */
    status: z.int(),
    ms: z.number(),
    region: z.string(),
  })
  .meta({ id: 'SyntheticCheck' });

export function alarmToJson(alarm: AlarmState, runbookUrl: string | undefined): z.infer<typeof alarmJson> {
  const { id: name, condition, value } = alarm;
  const { severity, threshold, is, metrics, says } = ruleOf(name);
  const key = keyOf(alarm.of);
  return {
    id: key === '' ? name : `${name}/${key}`,
    name,
    severity,
    state: stateOf(alarm),
    of: alarm.of,
    value: value ?? null,
    threshold,
    is,
    unit: metricOf(metrics[0]).unit,
    says,
    since: toIso(sinceMs(condition)),
    runbook_url: `${runbookUrl ?? RUNBOOK}#${name}`,
  };
}

export function checkToJson({ atMs, ...result }: CheckResult, region: string): z.infer<typeof checkJson> {
  return { ...result, at: toIso(atMs), region };
}

function stateOf({ condition: { kind } }: AlarmState): 'ok' | 'alarm' | 'no-data' {
  if (kind === 'pending') return 'ok';
  return kind === 'clearing' ? 'alarm' : kind;
}

function sinceMs(condition: AlarmState['condition']): number {
  if (condition.kind === 'pending') return condition.okSinceMs;
  return condition.kind === 'clearing' ? condition.alarmSinceMs : condition.sinceMs;
}

function toIso(ms: number): string {
  return new Date(ms).toISOString();
}
