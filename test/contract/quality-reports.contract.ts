import { expect } from 'vitest';
import {
  QUALITY_STATE_KEPT_DAYS,
  QUALITY_WINDOW_KEPT_DAYS,
  type QualityReports,
} from '../../core/ports/quality-reports.ts';
import { summaryOf } from '../../core/quality/drift/quality-record.ts';
import { DAY_MS, MINUTE_MS } from '../../core/units.ts';
import { aJudgedWindow, aProfile, aReference, aState, ofTexts } from '../support/drift.ts';
import { type Adapter, atOnce, type Case, describeContract, type Subject } from './contract.ts';

type QualityReportsCase = Case<Subject<QualityReports>>;

export const qualityReportsCases: readonly QualityReportsCase[] = [
  {
    name: 'reads a state and its windows as they were written, after a crash too, of that version alone',
    async run(subject) {
      const nowMs = subject.nowMs();
      const state = aState(nowMs, { missingClasses: ['maybe'], untold: [], isDrifted: true });
      expect(await subject.port.writeState(state, [aJudgedWindow(nowMs)])).toBe(true);
      expect(await subject.port.writeState(aState(nowMs, { version: '11' }), [])).toBe(true);
      await subject.crash();
      expect(await subject.port.readState('m', '1')).toEqual(state);
      expect(await subject.port.listWindows('m', '1', 10)).toEqual([aJudgedWindow(nowMs)]);
      expect(await subject.port.readState('m', '2')).toBeUndefined();
      expect(await subject.port.listWindows('m', '11', 10)).toEqual([]);
    },
  },
  {
    name: 'writes the next epoch and no other, and of a state that is refused no window',
    async run({ port, nowMs }) {
      const atMs = nowMs();
      expect(await port.writeState(aState(atMs, { epoch: 2 }), [aJudgedWindow(atMs)])).toBe(false);
      expect(await port.writeState(aState(atMs), [])).toBe(true);
      for (const epoch of [1, 3])
        expect(await port.writeState(aState(atMs, { epoch }), [aJudgedWindow(atMs)])).toBe(false);
      expect(await port.listWindows('m', '1', 10)).toEqual([]);
      expect(await port.writeState(aState(atMs, { epoch: 2, openFromMs: 7 }), [aJudgedWindow(atMs)])).toBe(true);
      expect((await port.readState('m', '1'))!.openFromMs).toBe(7);
    },
  },
  {
    name: 'of many writers of one epoch one writes, and its windows alone are there',
    async run({ port, nowMs }) {
      const atMs = nowMs();
      const wrote = await atOnce(8, (writer) =>
        port.writeState(aState(atMs, { trainedAtMs: writer }), [aJudgedWindow(atMs, { rows: writer })]),
      );
      expect(wrote.filter(Boolean)).toHaveLength(1);
      const winner = wrote.indexOf(true);
      expect((await port.readState('m', '1'))!.trainedAtMs).toBe(winner);
      expect((await port.listWindows('m', '1', 10)).map(({ rows }) => rows)).toEqual([winner]);
    },
  },
  {
    name: 'lists windows the newest first, as many as are asked for, one for each end',
    async run({ port, nowMs }) {
      const atMs = nowMs();
      const ends = Array.from({ length: 12 }, (_, at) => atMs - at * MINUTE_MS).toReversed();
      for (const [at, untilMs] of ends.entries())
        await port.writeState(aState(atMs, { epoch: at + 1 }), [aJudgedWindow(untilMs)]);
      await port.writeState(aState(atMs, { epoch: 13 }), [aJudgedWindow(atMs, { rows: 1 })]);
      expect((await port.listWindows('m', '1', 3)).map(({ untilMs }) => untilMs)).toEqual(
        ends.toReversed().slice(0, 3),
      );
      const all = await port.listWindows('m', '1', 100);
      expect([all.length, all[0]!.rows]).toEqual([12, 1]);
    },
  },
  {
    name: 'lists a summary of every version, as its state is now',
    async run({ port, nowMs }) {
      const atMs = nowMs();
      const others = Array.from({ length: 30 }, (_, at) => aState(atMs, { model: `n${at}` }));
      for (const state of [aState(atMs), ...others]) await port.writeState(state, []);
      const changed = aState(atMs, { epoch: 2, isDrifted: true, missingClasses: ['a', 'b'] });
      await port.writeState(changed, []);
      const summaries = await port.listSummaries();
      expect(summaries).toHaveLength(31);
      expect(summaries).toEqual(expect.arrayContaining([changed, ...others].map(summaryOf)));
    },
  },
  {
    name: 'keeps a reference whole and replaces it, of that version alone',
    async run(subject) {
      const profile = aProfile({ yes: 70, no: 30 });
      profile.inputs.set('text', ofTexts([0, 3, 900, 4000], { tooLong: 1 }));
      const reference = aReference(profile, { kind: 'window', fromMs: 1, untilMs: 2, madeAtMs: 3 });
      await subject.port.writeReference('m', '1', aReference(aProfile({ yes: 1 })));
      await subject.port.writeReference('m', '1', reference);
      await subject.crash();
      expect(await subject.port.readReference('m', '1')).toEqual(reference);
      expect(await subject.port.readReference('m', '2')).toBeUndefined();
    },
  },
  {
    name: 'forgets a window and a state at their times, gone or not, and begins anew after them',
    async run(subject) {
      const nowMs = subject.nowMs();
      await subject.port.writeState(aState(nowMs), [aJudgedWindow(nowMs)]);
      await subject.port.writeReference('m', '1', aReference(aProfile({ yes: 1 })));
      await subject.advance(QUALITY_WINDOW_KEPT_DAYS * DAY_MS - 1000);
      expect(await subject.port.listWindows('m', '1', 10)).toHaveLength(1);
      await subject.advance(2000);
      expect(await subject.port.listWindows('m', '1', 10)).toEqual([]);
      expect(await subject.port.purge(subject.nowMs())).toBe(1);
      expect(await subject.port.readState('m', '1')).toBeDefined();
      await subject.advance((QUALITY_STATE_KEPT_DAYS - QUALITY_WINDOW_KEPT_DAYS) * DAY_MS);
      expect(await subject.port.readState('m', '1')).toBeUndefined();
      expect(await subject.port.listSummaries()).toEqual([]);
      expect(await subject.port.writeState(aState(subject.nowMs()), [])).toBe(true);
      expect(await subject.port.readReference('m', '1')).toBeDefined();
    },
  },
];

export function describeQualityReportsContract(name: string, adapter: Adapter<QualityReports>): void {
  describeContract(`quality reports: ${name}`, qualityReportsCases, adapter);
}
