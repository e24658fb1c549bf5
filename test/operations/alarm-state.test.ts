import { describe, expect, test } from 'vitest';
import { type AlarmState, evaluateAlarms } from '../../core/operations/alarm-state.ts';
import { ALARM_IDS, type AlarmId } from '../../core/operations/alarms.ts';
import { alarmsAt, isOn } from '../../core/operations/list-alarms.ts';
import type { Measure } from '../../core/operations/metric.ts';
import { HOUR_MS, MINUTE_MS, SECOND_MS } from '../../core/units.ts';
import { type Case, casesOf, type Series } from '../support/alarm-cases.ts';

const START_MS = Date.UTC(2026, 10, 28);
type Looked = { readonly atMs: number; readonly alarms: readonly AlarmState[] };

describe('an alarm of this host is on when the rule of the same name fires in Prometheus', () => {
  test.each(ALARM_IDS.map((id) => [id]))('%s', (id) => {
    for (const { name, series, atMinute, fires } of casesOf(id))
      expect([name, isOnAt(id, series, atMinute)]).toEqual([name, fires]);
  });
});

test('a value that goes to and fro around its threshold is one alarm, not many', () => {
  const states = follow(60, (minute) => [rate(minute % 3 === 0 && minute > 10 ? 0.019 : 0.05)]);
  const kinds = states.map((alarms) => kindOf(alarms, 'server-errors'));
  expect(new Set(kinds.slice(6))).toEqual(new Set(['alarm', 'clearing']));
  const since = states.slice(6).map((alarms) => sinceOf(alarms, 'server-errors'));
  expect(new Set(since).size).toBe(1);
});

test('an alarm goes on after a restart as if there had been none, for what was kept is all it is made of', () => {
  const measures = (minute: number) => [rate(minute < 20 ? 0.05 : 0)];
  const through = follow(40, measures);
  let looked: Looked | undefined;
  for (let minute = 0; minute < 40; minute += 1) {
    const atMs = START_MS + minute * MINUTE_MS;
    looked = {
      atMs,
      alarms: evaluateAlarms(measures(minute), JSON.parse(JSON.stringify(looked ?? null)) ?? undefined, atMs),
    };
    expect(looked.alarms).toEqual(through[minute]);
  }
});

test('after a pause of hours an alarm is still on, and what was on its way begins anew', () => {
  const atMs = START_MS + 4 * MINUTE_MS;
  const pending: Looked = { atMs, alarms: follow(4, () => [rate(0.05)]).at(-1)! };
  expect(kindOf(pending.alarms, 'server-errors')).toBe('pending');
  expect(kindOf(evaluateAlarms([rate(0.05)], pending, atMs + HOUR_MS), 'server-errors')).toBe('pending');
  const on: Looked = { atMs, alarms: follow(10, () => [rate(0.05)]).at(-1)! };
  expect(kindOf(evaluateAlarms([rate(0.05)], on, atMs + HOUR_MS), 'server-errors')).toBe('alarm');
  expect(kindOf(evaluateAlarms([rate(0)], on, atMs + HOUR_MS), 'server-errors')).toBe('clearing');
});

test('looks that are some seconds late or early count as a minute', () => {
  let looked: Looked | undefined;
  for (let minute = 0; minute <= 5; minute += 1) {
    const atMs = START_MS + minute * MINUTE_MS + (minute % 2) * 9 * SECOND_MS;
    looked = { atMs, alarms: evaluateAlarms([rate(0.05)], looked, atMs) };
  }
  expect(kindOf(looked!.alarms, 'server-errors')).toBe('alarm');
});

test('each model has an alarm of its own, and none of a model that nobody calls any more stays', () => {
  const burn = (model: string, value: number): readonly Measure[] =>
    (['error_budget_burn_5m', 'error_budget_burn_1h'] as const).map((metric) => ({ metric, of: { model }, value }));
  const states = follow(200, (minute) => [...burn('a', 100), ...(minute < 30 ? burn('b', 0) : [])]);
  const models = (minute: number) =>
    states[minute]!.filter(({ id }) => id === 'error-budget-fast').map(({ of, condition }) => [
      of.model,
      condition.kind,
    ]);
  expect(models(20)).toEqual([
    ['a', 'alarm'],
    ['b', 'ok'],
  ]);
  expect(models(40)).toEqual([
    ['a', 'alarm'],
    ['b', 'no-data'],
  ]);
  expect(models(199)).toEqual([['a', 'alarm']]);
});

test('whoever lists alarms finds every one, those that are on first, and is told where nothing is measured any more', () => {
  const record = (atMs: number, alarms: readonly AlarmState[]) => ({
    ...{ atMs, alarms, measures: [], slots: {}, expected: {}, expectedAtMs: 0, coldSinceMs: {}, checks: [] },
  });
  const alarms = follow(10, () => [rate(0.05), { metric: 'watch_age_s', of: {}, value: 60 }]).at(-1)!;
  const atMs = START_MS + 9 * MINUTE_MS;
  const listed = alarmsAt(record(atMs, alarms), atMs + MINUTE_MS);
  expect(new Set(listed.map(({ id }) => id))).toEqual(new Set(ALARM_IDS));
  expect(listed.filter(isOn).map(({ id }) => id)).toEqual(['server-errors']);
  expect(listed[0]!.id).toBe('server-errors');
  const later = alarmsAt(record(atMs, alarms), atMs + 5 * MINUTE_MS);
  expect(
    later
      .filter(isOn)
      .map(({ id }) => id)
      .sort(),
  ).toEqual(['server-errors', 'watch-stalled']);
  expect(alarmsAt(undefined, atMs).map(({ id }) => id)).toEqual(ALARM_IDS);
});

function rate(value: number): Measure {
  return { metric: 'error_rate', of: {}, value };
}

function follow(
  minutes: number,
  measuresAt: (minute: number) => readonly Measure[],
): readonly (readonly AlarmState[])[] {
  const states: (readonly AlarmState[])[] = [];
  for (let minute = 0; minute < minutes; minute += 1) {
    const before = states.at(-1);
    const atMs = START_MS + minute * MINUTE_MS;
    const looked = before && { atMs: atMs - MINUTE_MS, alarms: before };
    states.push(evaluateAlarms(measuresAt(minute), looked, atMs));
  }
  return states;
}

function isOnAt(id: AlarmId, series: Case['series'], atMinute: number): boolean {
  const states = follow(atMinute + 1, (minute) => series.flatMap((one) => measureAt(one, minute)));
  return states.at(-1)!.some((alarm) => alarm.id === id && isOn(alarm));
}

function measureAt({ metric, of, runs }: Series, minute: number): readonly Measure[] {
  let left = minute;
  for (const [value, minutes] of runs) {
    if (left < minutes) return value === 'gone' ? [] : [{ metric, of, value }];
    left -= minutes;
  }
  return [];
}

function kindOf(alarms: readonly AlarmState[], id: AlarmId): string | undefined {
  return alarms.find((alarm) => alarm.id === id)?.condition.kind;
}

function sinceOf(alarms: readonly AlarmState[], id: AlarmId): number {
  const { condition } = alarms.find((alarm) => alarm.id === id)!;
  return condition.kind === 'clearing' ? condition.alarmSinceMs : condition.sinceMs;
}
