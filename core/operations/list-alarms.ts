import type { Platform } from '../ports/platform.ts';
import { SECOND_MS } from '../units.ts';
import type { AlarmState } from './alarm-state.ts';
import { ALARM_IDS, isBreach, ruleOf } from './alarms.ts';
import type { WatchRecord } from './watch-record.ts';

export type AlarmPorts = Pick<Platform, 'watches' | 'clock'>;

/** Alarms that are on first, those that page before the others; every alarm is there, if only as one without data. */
export async function listAlarms({ watches, clock }: AlarmPorts): Promise<readonly AlarmState[]> {
  return alarmsAt(await watches.latest(), clock.nowMs());
}

export function alarmsAt(record: WatchRecord | undefined, nowMs: number): readonly AlarmState[] {
  const known =
    record === undefined
      ? []
      : record.alarms.map((alarm) => (alarm.id === 'watch-stalled' ? stalled(record, nowMs) : alarm));
  const missing = ALARM_IDS.filter((id) => known.every((alarm) => alarm.id !== id)).map(
    (id): AlarmState => ({
      id,
      of: {},
      condition: { kind: 'no-data', sinceMs: record?.atMs ?? nowMs },
      value: undefined,
      measuredAtMs: undefined,
    }),
  );
  return [...known, ...missing].sort((a, b) => rank(a) - rank(b));
}

/** True of what people are to look at. */
export function isOn({ condition }: AlarmState): boolean {
  return condition.kind === 'alarm' || condition.kind === 'clearing';
}

/** A watch that has stalled cannot tell so itself. */
function stalled({ alarms, atMs }: WatchRecord, nowMs: number): AlarmState {
  const known = alarms.find(({ id }) => id === 'watch-stalled')!;
  const ageS = (nowMs - atMs) / SECOND_MS;
  if (!isBreach(ruleOf('watch-stalled'), ageS)) return known;
  return { ...known, condition: { kind: 'alarm', sinceMs: atMs }, value: ageS, measuredAtMs: nowMs };
}

function rank(alarm: AlarmState): number {
  if (isOn(alarm)) return ruleOf(alarm.id).severity === 'page' ? 0 : 1;
  return alarm.condition.kind === 'no-data' ? 3 : 2;
}
