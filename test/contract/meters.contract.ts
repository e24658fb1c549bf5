import { expect } from 'vitest';
import { METERS_KEPT_DAYS } from '../../core/cost/meter-days.ts';
import type { Meters } from '../../core/ports/meters.ts';
import { DAY_MS } from '../../core/units.ts';
import { aMeterRecord, aTenantDay, aUse } from '../support/meters.ts';
import { type Adapter, atOnce, type Case, describeContract, type Subject } from './contract.ts';

type MetersCase = Case<Subject<Meters>>;

/** Requests of each record of a day, by writer and part. */
async function requestsOf({ port }: Subject<Meters>, day: number): Promise<Record<string, number>> {
  const records = await port.read(day);
  return Object.fromEntries(
    records.map(({ writer, part, uses }) => [
      `${writer} ${part}`,
      uses.reduce((sum, { requests }) => sum + requests, 0),
    ]),
  );
}

export const metersCases: readonly MetersCase[] = [
  {
    name: 'gives back a record, every number of it, after a crash too; nothing of a day that nobody wrote of',
    async run(subject) {
      const uses = [
        aUse({ computeMs: 0.125 }),
        aUse({ tenant: '', version: '12' }),
        aUse({ tenant: 'globex', rows: 0 }),
      ];
      const record = aMeterRecord(subject.nowMs(), { uses });
      await subject.port.save(record);
      expect(await subject.port.read(record.day)).toEqual([record]);
      await subject.crash();
      expect(await subject.port.read(record.day)).toEqual([record]);
      expect(await subject.port.read(record.day - 1)).toEqual([]);
    },
  },
  {
    name: 'puts later totals in place of earlier ones, and counts what is saved again once',
    async run(subject) {
      const record = (requests: number) =>
        aMeterRecord(subject.nowMs(), { uses: [aUse({ requests })], worker: { upMs: requests } });
      for (const requests of [1, 2, 2, 5]) await subject.port.save(record(requests));
      await atOnce(3, () => subject.port.save(record(5)));
      expect(await requestsOf(subject, record(1).day)).toEqual({ 'w 0': 5 });
    },
  },
  {
    name: 'is not set back by totals that come late',
    async run(subject) {
      const [early, late] = [10, 20].map((upMs) =>
        aMeterRecord(subject.nowMs(), { uses: [aUse({ requests: upMs })], worker: { upMs } }),
      ) as [ReturnType<typeof aMeterRecord>, ReturnType<typeof aMeterRecord>];
      await subject.port.save(late);
      await subject.port.save(early);
      expect(await requestsOf(subject, late.day)).toEqual({ 'w 0': 20 });
    },
  },
  {
    name: 'keeps apart records that differ in day, writer or part',
    async run(subject) {
      const now = subject.nowMs();
      const { day } = aMeterRecord(now);
      const others = [{}, { writer: 'w2' }, { part: 1 }, { part: 11 }, { writer: 'w', part: 2 }, { day: day - 1 }];
      for (const [at, changes] of others.entries())
        await subject.port.save(aMeterRecord(now, { ...changes, uses: [aUse({ requests: at + 1 })] }));
      expect(await requestsOf(subject, day)).toEqual({ 'w 0': 1, 'w2 0': 2, 'w 1': 3, 'w 11': 4, 'w 2': 5 });
      expect(await requestsOf(subject, day - 1)).toEqual({ 'w 0': 6 });
    },
  },
  {
    name: 'holds a record of 300 KB and many of a day',
    async run(subject) {
      const now = subject.nowMs();
      const uses = Array.from({ length: 2000 }, (_, at) =>
        aUse({
          tenant: `tenant-${at}-${Math.random()}-${Math.random()}`,
          model: `model-${Math.random()}`,
          computeMs: Math.random() * 1e9,
          rows: at,
        }),
      );
      const record = aMeterRecord(now, { uses });
      await atOnce(8, (at) => subject.port.save({ ...record, part: at }));
      const found = await subject.port.read(record.day);
      expect(found).toHaveLength(8);
      expect(found.map(({ uses: { length } }) => length)).toEqual(new Array(8).fill(2000));
    },
  },
  {
    name: 'forgets a day 400 days after its end, not before, and purges those and no others',
    async run(subject) {
      const now = subject.nowMs();
      const { day } = aMeterRecord(now);
      await subject.port.save(aMeterRecord(now, { writer: 'old' }));
      await subject.port.save(aMeterRecord(now, { day: day + 1, writer: 'new' }));
      await subject.port.keepTenantDays([aTenantDay(day), aTenantDay(day + 1)]);
      const sums = async () => (await subject.port.readTenantDays('acme', 0, day + 9)).map((sum) => sum.day - day);
      const left = async () =>
        (await Promise.all([day, day + 1].map((each) => subject.port.read(each)))).flat().map(({ writer }) => writer);
      // To the last moment at which the day is kept.
      await subject.advance((day + METERS_KEPT_DAYS + 1) * DAY_MS - 1000 - subject.nowMs());
      expect([await left(), await subject.port.purge(subject.nowMs())]).toEqual([['old', 'new'], 0]);
      expect(await sums()).toEqual([0, 1]);
      await subject.advance(1000);
      expect([await left(), await sums()]).toEqual([['new'], [1]]);
      expect(await subject.port.purge(subject.nowMs())).toBeGreaterThan(0);
      expect([await left(), await subject.port.purge(subject.nowMs())]).toEqual([['new'], 0]);
    },
  },
  {
    name: 'gives a tenant its own days in order, the latest of each, after a crash too',
    async run(subject) {
      const { day } = aMeterRecord(subject.nowMs());
      const days = [0, 1, 2, 3].map((ago) => aTenantDay(day - ago));
      const other = aTenantDay(day, { tenant: 'acme2', uses: [] });
      await subject.port.keepTenantDays([...days, other]);
      const later = aTenantDay(day - 1, { uses: [{ ...days[0]!.uses[0]!, version: '2', nanoUsd: 0 }] });
      await subject.port.keepTenantDays([later]);
      await subject.crash();
      const read = (from: number, until: number, tenant = 'acme') => subject.port.readTenantDays(tenant, from, until);
      expect(await read(day - 2, day + 1)).toEqual([days[2], later, days[0]]);
      expect(await read(day - 3, day)).toEqual([days[3], days[2], later]);
      expect([await read(day, day), await read(day + 1, day - 5)]).toEqual([[], []]);
      expect(await read(0, day + 1, 'acme2')).toEqual([other]);
      expect(await read(0, day + 1, 'acm')).toEqual([]);
      await subject.port.keepTenantDays(Array.from({ length: 450 }, (_, at) => aTenantDay(day, { tenant: `t${at}` })));
      expect(await read(day, day + 1, 't449')).toHaveLength(1);
    },
  },
  {
    name: 'knows which days are added up: they begin where they began and end ever later',
    async run(subject) {
      expect(await subject.port.readSummed()).toBeUndefined();
      for (const [since, until] of [
        [5, 5],
        [9, 7],
        [5, 6],
      ] as const)
        await subject.port.markSummed({ since, until });
      await subject.crash();
      expect(await subject.port.readSummed()).toEqual({ since: 5, until: 7 });
    },
  },
];

export function describeMetersContract(name: string, adapter: Adapter<Meters>): void {
  describeContract(`meters: ${name}`, metersCases, adapter);
}
