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
      const last = aReport({ atMs: nowMs() + 1, backlogMs: 3, draining: true });
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
