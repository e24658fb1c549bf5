import { expect } from 'vitest';
import type { Capacity, CapacityReport } from '../../core/ports/capacity.ts';
import { SECOND_MS } from '../../core/units.ts';
import { type Adapter, type Case, describeContract, type Subject } from './contract.ts';

type CapacityCase = Case<Subject<Capacity>>;

function aReport(changes: Partial<CapacityReport> & Pick<CapacityReport, 'atMs'>): CapacityReport {
  return {
    worker: 'w1',
    pool: 'default',
    runners: 2,
    backlogMs: 12.5,
    rowMs: { 'm@1': 0.25 },
    loaded: ['m@1'],
    breakers: { 'm@1': { state: 'open', untilMs: 5 } },
    draining: false,
    ...changes,
  };
}

export const capacityCases: readonly CapacityCase[] = [
  {
    name: 'reads the last report of each worker of the pool',
    async run({ port, nowMs }) {
      expect(await port.read('default', nowMs())).toEqual([]);
      const last = aReport({ atMs: nowMs() + 1, backlogMs: 3, warm: { 'm@1': 2 }, draining: true });
      const other = aReport({ atMs: nowMs(), worker: 'w2' });
      for (const report of [aReport({ atMs: nowMs() }), last, other, aReport({ atMs: nowMs(), pool: 'gpu' })]) {
        await port.report(report);
      }
      const reports = await port.read('default', nowMs() + 1);
      expect([...reports].sort((a, b) => a.worker.localeCompare(b.worker))).toEqual([last, other]);
    },
  },
  {
    name: 'leaves out what is older than 10 seconds, and nothing younger',
    async run({ port, nowMs }) {
      await port.report(aReport({ atMs: nowMs() }));
      expect(await port.read('default', nowMs() + 10 * SECOND_MS)).toHaveLength(1);
      expect(await port.read('default', nowMs() + 10 * SECOND_MS + 1)).toEqual([]);
    },
  },
  {
    name: 'tells of a worker that drains, and of breakers, tenant included, with the report that says so',
    async run({ port, nowMs }) {
      const calm = aReport({ atMs: nowMs(), breakers: {} });
      const open = { state: 'open', untilMs: nowMs() + 5000, tenant: 'acme' } as const;
      const changes: readonly Partial<CapacityReport>[] = [
        { breakers: { 'm@1': open } },
        { breakers: { 'm@1': { ...open, tenant: undefined } } },
        { breakers: { 'm@1': { state: 'half-open', untilMs: nowMs() } } },
        { breakers: {} },
        { draining: true },
      ];
      await port.report(calm);
      for (const [at, change] of changes.entries()) {
        const report = { ...calm, ...change, atMs: nowMs() + at + 1 };
        await port.report(report);
        expect(await port.read('default', nowMs() + 10)).toEqual([report]);
      }
    },
  },
  {
    name: 'follows a worker whose backlog changes, a second late at the most',
    async run({ port, nowMs }) {
      for (let tenths = 0; tenths <= 30; tenths += 1) {
        await port.report(aReport({ atMs: nowMs() + tenths * 100, backlogMs: tenths }));
        const [{ backlogMs } = { backlogMs: Number.NaN }] = await port.read('default', nowMs() + tenths * 100);
        expect(tenths - backlogMs).toBeGreaterThanOrEqual(0);
        expect(tenths - backlogMs).toBeLessThanOrEqual(10);
      }
    },
  },
  {
    name: 'keeps the newer of two reports that come in the wrong order',
    async run({ port, nowMs }) {
      await port.report(aReport({ atMs: nowMs() + 5, backlogMs: 1 }));
      await port.report(aReport({ atMs: nowMs(), backlogMs: 2 }));
      expect((await port.read('default', nowMs() + 5)).map(({ backlogMs }) => backlogMs)).toEqual([1]);
    },
  },
];

export function describeCapacityContract(name: string, adapter: Adapter<Capacity>): void {
  describeContract(`capacity: ${name}`, capacityCases, adapter);
}
