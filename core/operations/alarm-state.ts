import { HOUR_MS, MINUTE_MS } from '../units.ts';
import { ALARM_IDS, type AlarmId, type AlarmRule, isBreach, keyOf, ruleOf, valuesOf } from './alarms.ts';
import type { Measure } from './metric.ts';

/** Since when an alarm is what it is. Of `pending` and `clearing`: since when the value has been beyond the threshold, or no longer. */
export type AlarmCondition =
  | { readonly kind: 'ok'; readonly sinceMs: number }
  | { readonly kind: 'pending'; readonly sinceMs: number; readonly okSinceMs: number }
  | { readonly kind: 'alarm'; readonly sinceMs: number }
  | { readonly kind: 'clearing'; readonly sinceMs: number; readonly alarmSinceMs: number }
  | { readonly kind: 'no-data'; readonly sinceMs: number };

/** One alarm of one model, pool or whatever it is of. */
export type AlarmState = {
  readonly id: AlarmId;
  readonly of: Measure['of'];
  readonly condition: AlarmCondition;
  /** As it was last measured, and when; undefined: never. */
  readonly value: number | undefined;
  readonly measuredAtMs: number | undefined;
};

/** How long an alarm that is kept without data stays, and how long one that has none is shown. */
const KEPT_MS = 6 * HOUR_MS;
const SHOWN_MS = HOUR_MS;
/** Minutes that were missed: what was about to be an alarm before begins anew, as nobody knows what was in between. */
const GAP_MS = 5 * MINUTE_MS;

/** What every alarm is after a minute's measures, by what it was at `before.atMs`. Pure; called once a minute. */
export function evaluateAlarms(
  measures: readonly Measure[],
  before: { readonly atMs: number; readonly alarms: readonly AlarmState[] } | undefined,
  nowMs: number,
): readonly AlarmState[] {
  const gone = before === undefined || nowMs - before.atMs > GAP_MS;
  return ALARM_IDS.flatMap((id) => {
    const rule = ruleOf(id);
    const known = new Map(before?.alarms.filter((alarm) => alarm.id === id).map((alarm) => [keyOf(alarm.of), alarm]));
    const values = valuesOf(rule, measures);
    const seen = values.map(({ of, value }) => {
      const was = known.get(keyOf(of));
      known.delete(keyOf(of));
      return measured(rule, { id, of, value }, was && (gone ? resumed(was) : was), nowMs);
    });
    const silent = [...known.values()].map((was) => unmeasured(rule, gone ? resumed(was) : was, nowMs));
    const none = seen.length + silent.length === 0 && (rule.noData === 'alarm' || isOfRegion(rule));
    const empty: AlarmState = {
      id,
      of: {},
      condition: { kind: 'no-data', sinceMs: nowMs },
      value: undefined,
      measuredAtMs: undefined,
    };
    return [...seen, ...silent, ...(none ? [unmeasured(rule, empty, nowMs)] : [])].filter((alarm) =>
      isShown(rule, alarm, nowMs),
    );
  });
}

function measured(
  rule: AlarmRule,
  { id, of, value }: { readonly id: AlarmId; readonly of: Measure['of']; readonly value: number },
  was: AlarmState | undefined,
  nowMs: number,
): AlarmState {
  const condition = isBreach(rule, value) ? breached(rule, was?.condition, nowMs) : fine(rule, was?.condition, nowMs);
  return { id, of, condition, value, measuredAtMs: nowMs };
}

function unmeasured(rule: AlarmRule, was: AlarmState, nowMs: number): AlarmState {
  const { condition, measuredAtMs = nowMs } = was;
  if (rule.noData === 'alarm') return { ...was, condition: breached(rule, condition, nowMs) };
  const isOn = condition.kind === 'alarm' || condition.kind === 'clearing';
  if (rule.noData === 'keep' && isOn && nowMs - measuredAtMs < KEPT_MS) return was;
  const next = isOn ? fine(rule, condition, nowMs) : condition;
  if (next.kind === 'clearing' || next.kind === 'no-data') return { ...was, condition: next };
  return { ...was, condition: { kind: 'no-data', sinceMs: nowMs } };
}

function breached({ forMinutes }: AlarmRule, was: AlarmCondition | undefined, nowMs: number): AlarmCondition {
  if (was?.kind === 'alarm') return was;
  if (was?.kind === 'clearing') return { kind: 'alarm', sinceMs: was.alarmSinceMs };
  const sinceMs = was?.kind === 'pending' ? was.sinceMs : nowMs;
  if (minutes(sinceMs, nowMs) >= forMinutes) return { kind: 'alarm', sinceMs: nowMs };
  return { kind: 'pending', sinceMs, okSinceMs: was?.kind === 'pending' ? was.okSinceMs : (was?.sinceMs ?? nowMs) };
}

function fine({ clearsAfterMinutes }: AlarmRule, was: AlarmCondition | undefined, nowMs: number): AlarmCondition {
  if (was?.kind === 'ok') return was;
  if (was?.kind === 'pending') return { kind: 'ok', sinceMs: was.okSinceMs };
  if (was === undefined || was.kind === 'no-data') return { kind: 'ok', sinceMs: nowMs };
  const sinceMs = was.kind === 'clearing' ? was.sinceMs : nowMs;
  if (minutes(sinceMs, nowMs) >= clearsAfterMinutes) return { kind: 'ok', sinceMs: nowMs };
  return { kind: 'clearing', sinceMs, alarmSinceMs: was.kind === 'clearing' ? was.alarmSinceMs : was.sinceMs };
}

/** After a gap an alarm still is one; anything that was on its way begins anew. */
function resumed(was: AlarmState): AlarmState {
  const { condition } = was;
  if (condition.kind === 'pending') return { ...was, condition: { kind: 'ok', sinceMs: condition.okSinceMs } };
  if (condition.kind === 'clearing') return { ...was, condition: { kind: 'alarm', sinceMs: condition.alarmSinceMs } };
  return was;
}

/** Looks are about a minute apart: seconds that one was late or early are no matter. */
function minutes(sinceMs: number, nowMs: number): number {
  return Math.round((nowMs - sinceMs) / MINUTE_MS);
}

function isOfRegion({ by }: AlarmRule): boolean {
  return by !== 'any' && by.length === 0;
}

function isShown(rule: AlarmRule, { condition }: AlarmState, nowMs: number): boolean {
  return condition.kind !== 'no-data' || isOfRegion(rule) || nowMs - condition.sinceMs < SHOWN_MS;
}
