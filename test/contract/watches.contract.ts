import { expect } from 'vitest';
import type { Measure } from '../../core/operations/metric.ts';
import type { Watches } from '../../core/ports/watches.ts';
import { MINUTE_MS } from '../../core/units.ts';
import { watchRecord } from '../support/watch-records.ts';
import { type Adapter, atOnce, type Case, describeContract } from './contract.ts';

const START_MS = 1_800_000_000_000;

export const watchesCases: readonly Case<{
  readonly port: Watches;
  reopen(): Promise<void>;
  crash(): Promise<void>;
}>[] = [
  {
    name: 'has nothing before something was saved',
    async run({ port }) {
      expect(await port.latest()).toBeUndefined();
    },
  },
  {
    name: 'gives back a record whole, after a crash too',
    async run(subject) {
      await subject.port.save(watchRecord(START_MS));
      await subject.crash();
      expect(await subject.port.latest()).toEqual(watchRecord(START_MS));
      await subject.reopen();
      expect(await subject.port.latest()).toEqual(watchRecord(START_MS));
    },
  },
  {
    name: 'has the last one alone',
    async run({ port }) {
      for (const minute of [0, 1, 2]) await port.save(watchRecord(START_MS + minute * MINUTE_MS, { measures: [] }));
      expect(await port.latest()).toEqual(watchRecord(START_MS + 2 * MINUTE_MS, { measures: [] }));
    },
  },
  {
    name: 'keeps the younger one, whoever comes last',
    async run({ port }) {
      await port.save(watchRecord(START_MS + MINUTE_MS));
      await port.save(watchRecord(START_MS));
      expect(await port.latest()).toEqual(watchRecord(START_MS + MINUTE_MS));
      await atOnce(5, (minute) => port.save(watchRecord(START_MS + (5 - minute) * MINUTE_MS)));
      expect((await port.latest())?.atMs).toBe(START_MS + 5 * MINUTE_MS);
    },
  },
  {
    name: 'takes as much as a large region measures',
    async run({ port }) {
      const measures = Array.from({ length: 5000 }, (_, at): Measure => {
        const of = { model: `a-model-of-a-usual-name-${at % 200}`, version: String(at) };
        return { metric: 'latency_p95_ms', of, value: Math.sin(at) ** 2 * 1000 };
      });
      await port.save(watchRecord(START_MS, { measures }));
      expect((await port.latest())?.measures).toEqual(measures);
    },
  },
];

export function describeWatchesContract(name: string, adapter: Adapter<Watches>): void {
  describeContract(`watches: ${name}`, watchesCases, adapter);
}
