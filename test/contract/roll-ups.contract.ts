import { expect } from 'vitest';
import type { RollUp, Telemetries, TelemetryItem, TelemetryStep } from '../../core/ports/telemetry.ts';
import { encodeTelemetry } from '../../core/quality/encode-telemetry.ts';
import { rollUp, WHOLE_REGION } from '../../core/quality/roll-up.ts';
import { emptyTelemetry } from '../../core/quality/telemetry.ts';
import { ROLL_UP_KEPT_MS } from '../../core/quality/telemetry-kept.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from '../../core/units.ts';
import { aReport, aTelemetry } from '../support/telemetry.ts';
import { atOnce, type Case, type Subject } from './contract.ts';

type RollUpCase = Case<Subject<Telemetries>>;

/** The last whole hour before now. */
const hourOf = ({ nowMs }: Subject<Telemetries>) => Math.floor(nowMs() / HOUR_MS) * HOUR_MS - HOUR_MS;

/** A roll-up of so many requests, whatever was reported. */
function aRollUp(startMs: number, requests: number, changes: Partial<RollUp> = {}): RollUp {
  const telemetry = { ...emptyTelemetry(), requests };
  return { span: 'minute', model: 'm', version: '1', startMs, reports: 1, telemetry, ...changes };
}

const requestsOf = (steps: readonly (TelemetryStep | RollUp)[]) =>
  steps.map(({ startMs, telemetry }) => [startMs, telemetry.requests]);

/** What was appended is found a second later. */
async function appended({ port, advance }: Subject<Telemetries>, items: readonly TelemetryItem[]): Promise<void> {
  await port.append(items);
  await advance(SECOND_MS);
}

const namesOf = async (port: Telemetries, fromMs: number, untilMs: number) =>
  (await port.activeVersions(fromMs, untilMs)).map(({ model, version }) => `${model}@${version}`).sort();

/** Roll-ups, and what is read through them. */
export const rollUpCases: readonly RollUpCase[] = [
  {
    name: 'names the versions that were reported of in a span, each once, after a crash too, and none of another day',
    async run(subject) {
      const from = hourOf(subject);
      await appended(subject, [
        ...[0, 1, 2].map((sequence) => aReport(from + sequence * MINUTE_MS, { sequence, writer: `w${sequence}` })),
        aReport(from, { version: '12', shard: 9 }),
        aReport(from + MINUTE_MS, { model: 'm.x-1', shard: 15 }),
        aReport(from - 2 * DAY_MS, { model: 'before' }),
      ]);
      const check = async () => {
        expect(await namesOf(subject.port, from, from + HOUR_MS)).toEqual(['m.x-1@1', 'm@1', 'm@12']);
        expect(await namesOf(subject.port, from + 20 * MINUTE_MS, from + HOUR_MS)).toEqual([]);
        expect(await namesOf(subject.port, from - 3 * DAY_MS, from + HOUR_MS)).toContain('before@1');
        expect(await namesOf(subject.port, from - 7 * DAY_MS, from - 4 * DAY_MS)).toEqual([]);
        expect(await namesOf(subject.port, from + HOUR_MS, from)).toEqual([]);
      };
      await check();
      await subject.crash();
      await check();
    },
  },
  {
    name: 'gives a series in steps from the start of the span on, those of nothing left out, without releases',
    async run(subject) {
      const from = hourOf(subject);
      const telemetry = aTelemetry({ release: 'r1' });
      const starts = [0, 5, 10, 60, 65, 3595].map((second) => from + second * SECOND_MS);
      await appended(subject, [
        ...starts.map((windowStartMs, sequence) => aReport(windowStartMs, { sequence, shard: sequence, telemetry })),
        aReport(from - 5 * SECOND_MS, { sequence: 98 }),
        aReport(from + HOUR_MS, { sequence: 99 }),
        aReport(from, { version: '2' }),
      ]);
      const series = (stepMs: number, fromMs = from) =>
        subject.port.series('m', '1', fromMs, from + HOUR_MS, stepMs).then(requestsOf);
      expect(await series(5 * SECOND_MS)).toEqual(starts.map((startMs) => [startMs, 1]));
      expect(await series(MINUTE_MS)).toEqual([
        [from, 3],
        [from + MINUTE_MS, 2],
        [from + 59 * MINUTE_MS, 1],
      ]);
      expect(await series(HOUR_MS)).toEqual([[from, 6]]);
      expect(await series(MINUTE_MS, from + 5 * SECOND_MS)).toEqual([
        [from + 5 * SECOND_MS, 3],
        [from + 65 * SECOND_MS, 1],
        [from + 59 * MINUTE_MS + 5 * SECOND_MS, 1],
      ]);
      const [hour] = await subject.port.series('m', '1', from, from + HOUR_MS, HOUR_MS);
      expect([hour!.telemetry.release, hour!.telemetry.latencyMs.count]).toEqual([undefined, 6]);
    },
  },
  {
    name: 'keeps of two roll-ups of one name the one of more reports, whoever is last, after a crash too',
    async run(subject) {
      const from = hourOf(subject);
      const { port } = subject;
      const whole = aRollUp(from, 20, { reports: 2, telemetry: aTelemetry({ label: 'pösitive', latencyMs: 12.5 }) });
      await port.keepRollUps([aRollUp(from, 10), aRollUp(from + MINUTE_MS, 11)]);
      await port.keepRollUps([whole]);
      await port.keepRollUps([aRollUp(from, 30)]);
      await atOnce(4, () => port.keepRollUps([aRollUp(from, 40), aRollUp(from + MINUTE_MS, 12)]));
      await port.keepRollUps([
        aRollUp(from, 50, { version: '2' }),
        aRollUp(from, 51, { span: 'hour' }),
        aRollUp(from, 52, { model: 'm2' }),
        aRollUp(from + DAY_MS, 53),
      ]);
      const read = (untilMs = from + HOUR_MS) => subject.port.readRollUps('minute', 'm', '1', from, untilMs);
      const check = async () => {
        const [first, second, ...rest] = await read();
        expect([first!.reports, first!.startMs, rest]).toEqual([2, from, []]);
        expect(JSON.parse(encodeTelemetry(first!.telemetry))).toEqual(JSON.parse(encodeTelemetry(whole.telemetry)));
        expect([second!.startMs, second!.telemetry.requests]).toEqual([from + MINUTE_MS, 12]);
        expect(await read(from + MINUTE_MS)).toHaveLength(1);
      };
      await check();
      await subject.crash();
      await check();
      expect(requestsOf(await subject.port.readRollUps('hour', 'm', '1', from, from + 1))).toEqual([[from, 51]]);
      expect(requestsOf(await subject.port.readRollUps('minute', 'm', '2', 0, from + 1))).toEqual([[from, 50]]);
    },
  },
  {
    name: 'reads hours and minutes from roll-ups as far as the region is rolled up, and what is older or younger from reports',
    async run(subject) {
      const { port } = subject;
      const hour = hourOf(subject) - HOUR_MS;
      const at = [-1, 0, 59, 60, 61, 62].map((minute) => hour + minute * MINUTE_MS);
      await appended(
        subject,
        at.map((windowStartMs, sequence) => aReport(windowStartMs, { sequence })),
      );
      await port.keepRollUps([
        ...at.map((startMs) => aRollUp(startMs, 10)),
        aRollUp(hour - HOUR_MS, 100, { span: 'hour' }),
        aRollUp(hour, 100, { span: 'hour' }),
        aRollUp(hour + HOUR_MS, 100, { span: 'hour' }),
      ]);
      const series = (stepMs: number, untilMs = hour + 2 * HOUR_MS) =>
        port.series('m', '1', hour - HOUR_MS, untilMs, stepMs).then(requestsOf);
      expect((await series(MINUTE_MS)).map(([, requests]) => requests)).toEqual([1, 1, 1, 1, 1, 1]);
      const untilMs = { minutesMs: at[5]!, settledMs: at[4]!, hoursMs: hour + HOUR_MS };
      await port.markRolled({ sinceMs: hour, ...untilMs });
      expect((await series(MINUTE_MS)).map(([, requests]) => requests)).toEqual([1, 10, 10, 10, 10, 1]);
      expect(await series(HOUR_MS)).toEqual([
        [hour - HOUR_MS, 1],
        [hour, 100],
        [hour + HOUR_MS, 21],
      ]);
      expect(await series(HOUR_MS, hour + 1)).toEqual([
        [hour - HOUR_MS, 1],
        [hour, 1],
      ]);
      expect((await series(5 * SECOND_MS)).map(([, requests]) => requests)).toEqual([1, 1, 1, 1, 1, 1]);
    },
  },
  {
    name: 'is rolled up further, never back, from where it was begun, after a crash too',
    async run(subject) {
      const { port } = subject;
      expect(await port.rolledUntil()).toBeUndefined();
      await port.markRolled({ sinceMs: 100, minutesMs: 200, settledMs: 150, hoursMs: 100 });
      await atOnce(4, (at) => port.markRolled({ sinceMs: 0, minutesMs: 300 + at, settledMs: 100, hoursMs: 140 - at }));
      const expected = { sinceMs: 100, minutesMs: 303, settledMs: 150, hoursMs: 140 };
      expect(await port.rolledUntil()).toEqual(expected);
      await subject.crash();
      expect(await subject.port.rolledUntil()).toEqual(expected);
    },
  },
  {
    name: 'comes to what the reports say when two roll up at once, again and again, reports coming late meanwhile',
    async run(subject) {
      const hour = hourOf(subject) - HOUR_MS;
      const windows = Array.from({ length: 150 }, (_, at) => hour + at * 47 * SECOND_MS - ((at * 47) % 5) * SECOND_MS);
      const items = windows.map((windowStartMs, sequence) =>
        aReport(windowStartMs, { sequence, shard: sequence % 16, version: String(1 + (sequence % 2)) }),
      );
      const roll = (minutes: number) => rollUp({ telemetry: subject.port }, hour + minutes * MINUTE_MS);
      await appended(subject, items.slice(0, 60));
      // It begins an hour before.
      await roll(50);
      await atOnce(2, () => roll(65));
      // Up to twenty minutes late.
      await appended(subject, [...items.slice(60), aReport(windows[59]!, { sequence: 999, version: '2' })]);
      await atOnce(3, () => roll(110));
      for (const minutes of [140, 150, 300]) await atOnce(2, () => roll(minutes));
      const { port } = subject;
      const hours = async (version: string) =>
        (await port.readRollUps('hour', 'm', version, hour, hour + 2 * HOUR_MS)).map(({ reports }) => reports);
      expect([await hours('1'), await hours('2')]).toEqual([
        [39, 36],
        [39, 37],
      ]);
      const { model, version } = WHOLE_REGION;
      const whole = await port.readRollUps('hour', model, version, hour, hour + 2 * HOUR_MS);
      expect(whole.map(({ telemetry }) => telemetry.requests)).toEqual([78, 73]);
      expect(whole[0]!.telemetry.labels.get('m@1')).toBe(39);
      for (const each of ['1', '2']) {
        const minutes = await port.series('m', each, hour, hour + 2 * HOUR_MS, MINUTE_MS);
        const reported = await port.readMinutes('m', each, hour, hour + 2 * HOUR_MS);
        expect(requestsOf(minutes)).toEqual(requestsOf(reported));
        expect(reported.reduce((sum, { reports }) => sum + reports, 0)).toBe(each === '1' ? 75 : 76);
      }
    },
  },
  {
    name: 'forgets minutes after fifteen days and hours after four hundred, not before',
    async run(subject) {
      const from = hourOf(subject);
      await subject.port.keepRollUps([aRollUp(from, 1), aRollUp(from, 2, { span: 'hour' })]);
      const left = async () => {
        const read = (span: RollUp['span']) => subject.port.readRollUps(span, 'm', '1', 0, from + 1);
        return [(await read('minute')).length, (await read('hour')).length];
      };
      const age = (keptMs: number) => subject.advance(from + keptMs - subject.nowMs());
      await age(ROLL_UP_KEPT_MS.minute - 1);
      expect([await subject.port.purge(subject.nowMs()), await left()]).toEqual([0, [1, 1]]);
      await age(ROLL_UP_KEPT_MS.minute);
      expect(await left()).toEqual([0, 1]);
      await subject.port.purge(subject.nowMs());
      await age(ROLL_UP_KEPT_MS.hour - 1);
      expect(await left()).toEqual([0, 1]);
      await age(ROLL_UP_KEPT_MS.hour);
      expect(await left()).toEqual([0, 0]);
    },
  },
];
