import { expect } from 'vitest';
import type { Telemetries, Telemetry } from '../../core/ports/telemetry.ts';
import { encodeTelemetry } from '../../core/quality/encode-telemetry.ts';
import { mergeTelemetry } from '../../core/quality/telemetry.ts';
import { TELEMETRY_KEPT_MS } from '../../core/quality/telemetry-kept.ts';
import { DAY_MS, SECOND_MS } from '../../core/units.ts';
import { aReport, aTelemetry } from '../support/telemetry.ts';
import { type Adapter, atOnce, type Case, describeContract, type Subject } from './contract.ts';
import { rollUpCases } from './roll-ups.contract.ts';

type TelemetryCase = Case<Subject<Telemetries>>;

const WINDOW_MS = 5 * SECOND_MS;

/** What was appended is found a second later. */
async function appended(
  { port, advance }: Subject<Telemetries>,
  ...items: Parameters<Telemetries['append']>
): Promise<void> {
  await port.append(...items);
  await advance(SECOND_MS);
}

/** Telemetry compared as it is stored: its sketches have private parts. */
function expectSame(found: Telemetry, expected: Telemetry): void {
  expect(JSON.parse(encodeTelemetry(found))).toEqual(JSON.parse(encodeTelemetry(expected)));
}

const requestsOf = async (port: Telemetries, fromMs: number, untilMs: number, version = '1') =>
  (await port.read('m', version, fromMs, untilMs)).requests;

export const telemetryCases: readonly TelemetryCase[] = [
  {
    name: 'gives back what was appended, every number of it, after a crash too; nothing of what nobody wrote',
    async run(subject) {
      const now = subject.nowMs();
      const telemetry = aTelemetry({ tenant: 'acme', label: 'pösitive', latencyMs: 12.5, release: 'r1' });
      await appended(subject, [aReport(now, { telemetry })]);
      const check = async () => expectSame(await subject.port.read('m', '1', now, now + 1, 'r1'), telemetry);
      await check();
      await subject.crash();
      await check();
      const { requests, latencyMs } = await subject.port.read('m', '2', 0, now + 1);
      expect([requests, latencyMs.count]).toEqual([0, 0]);
    },
  },
  {
    name: 'merges the reports of all writers and shards, in whatever order they came',
    async run(subject) {
      const now = subject.nowMs();
      const items = Array.from({ length: 160 }, (_, at) =>
        aReport(now + (at % 3) * WINDOW_MS, {
          writer: `w${at % 32}`,
          sequence: Math.floor(at / 32),
          shard: at % 16,
          telemetry: aTelemetry({ tenant: `t${at % 7}`, label: `l${at % 5}`, latencyMs: at }),
        }),
      );
      await atOnce(4, (part) => subject.port.append(items.slice(part * 40, part * 40 + 40)));
      await subject.advance(SECOND_MS);
      const expected = mergeTelemetry(items.map(({ telemetry }) => telemetry));
      const found = await subject.port.read('m', '1', now, now + 3 * WINDOW_MS);
      expect(found.requests).toBe(160);
      expect(found.latencyMs.quantile(0.5)).toBe(expected.latencyMs.quantile(0.5));
      const sorted = (counts: Telemetry['labels']) => counts.contents().counts.sort();
      expect(sorted(found.labels)).toEqual(sorted(expected.labels));
      expect(sorted(found.tenants)).toEqual(sorted(expected.tenants));
    },
  },
  {
    name: 'finds a report that was appended again, alone or with others, once',
    async run(subject) {
      const now = subject.nowMs();
      const [first, second] = [aReport(now, { sequence: 1 }), aReport(now, { sequence: 2 })];
      await subject.port.append([first]);
      await subject.port.append([first, second]);
      await atOnce(3, () => subject.port.append([second, first]));
      await subject.crash();
      await appended(subject, [first]);
      expect(await requestsOf(subject.port, now, now + 1)).toBe(2);
    },
  },
  {
    name: 'keeps apart reports that differ in one part of their name',
    async run(subject) {
      const now = subject.nowMs();
      const others = [
        { writer: 'w2' },
        { sequence: 2 },
        { shard: 2 },
        { windowStartMs: now + WINDOW_MS },
        { version: '2' },
        { version: '11' },
        { model: 'm2' },
        { model: 'm', version: '1', writer: 'w', sequence: 11 },
      ];
      await appended(subject, [aReport(now), ...others.map((changes) => aReport(now, changes))]);
      expect(await requestsOf(subject.port, now, now + 2 * WINDOW_MS)).toBe(6);
      expect(await requestsOf(subject.port, now, now + 2 * WINDOW_MS, '2')).toBe(1);
      expect(await requestsOf(subject.port, now, now + 2 * WINDOW_MS, '11')).toBe(1);
      expect((await subject.port.read('m2', '1', now, now + 1)).requests).toBe(1);
    },
  },
  {
    name: 'reads the windows that start in a range: its start is in it, its end is not, over midnights too',
    async run(subject) {
      const midnight = Math.floor(subject.nowMs() / DAY_MS) * DAY_MS;
      const starts = [-2 * DAY_MS, -WINDOW_MS, 0, WINDOW_MS, 2 * WINDOW_MS].map((ms) => midnight + ms);
      await appended(
        subject,
        starts.map((windowStartMs, sequence) => aReport(windowStartMs, { sequence, shard: sequence })),
      );
      const between = (from: number, until: number) => requestsOf(subject.port, midnight + from, midnight + until);
      expect(await between(0, 2 * WINDOW_MS)).toBe(2);
      expect(await between(0, 2 * WINDOW_MS + 1)).toBe(3);
      expect(await between(1, 2 * WINDOW_MS)).toBe(1);
      expect(await between(-WINDOW_MS, 1)).toBe(2);
      expect(await between(-WINDOW_MS + 1, 1)).toBe(1);
      expect(await between(-3 * DAY_MS, DAY_MS)).toBe(5);
      expect(await between(0, 0)).toBe(0);
      expect(await between(WINDOW_MS, 0)).toBe(0);
      expect(await requestsOf(subject.port, 0, Number.MAX_SAFE_INTEGER)).toBe(5);
    },
  },
  {
    name: 'says of releases only what the one named has seen',
    async run(subject) {
      const now = subject.nowMs();
      await appended(subject, [
        aReport(now, { sequence: 1, telemetry: aTelemetry({ release: 'r1' }) }),
        aReport(now, { sequence: 2, telemetry: aTelemetry({ release: 'r2' }) }),
        aReport(now, { sequence: 3, telemetry: aTelemetry({ release: 'r2' }) }),
      ]);
      const cohortOf = async (release?: string) => {
        const { requests, release: seen } = await subject.port.read('m', '1', now, now + 1, release);
        return [requests, [...(seen?.cohorts.values() ?? [])].map((cohort) => cohort.requests)];
      };
      expect(await cohortOf('r2')).toEqual([3, [2]]);
      expect(await cohortOf('r1')).toEqual([3, [1]]);
      expect(await cohortOf()).toEqual([3, []]);
    },
  },
  {
    name: 'forgets a report fourteen days after its window, not before, and purges those and no others',
    async run(subject) {
      const now = subject.nowMs();
      const ages = [0, 1, 2].map((days) => now - days * DAY_MS);
      await appended(
        subject,
        ages.map((windowStartMs, sequence) => aReport(windowStartMs, { sequence })),
      );
      const left = () => requestsOf(subject.port, 0, now + 1);
      await subject.advance(TELEMETRY_KEPT_MS - 2 * DAY_MS - SECOND_MS - 1);
      expect([await left(), await subject.port.purge(subject.nowMs())]).toEqual([3, 0]);
      await subject.advance(1);
      expect(await left()).toBe(2);
      await subject.advance(DAY_MS);
      expect(await left()).toBe(1);
      expect(await subject.port.purge(subject.nowMs())).toBe(2);
      expect([await left(), await subject.port.purge(subject.nowMs())]).toEqual([1, 0]);
    },
  },
  {
    name: 'holds the hundred largest reports of one append',
    async run(subject) {
      const now = subject.nowMs();
      const telemetry = aTelemetry({ tenants: 512, labels: 512, cohorts: 200 });
      const items = Array.from({ length: 100 }, (_, sequence) => aReport(now, { sequence, telemetry }));
      await appended(subject, items);
      const found = await subject.port.read('m', '1', now, now + 1, 'r1');
      expect(found.requests).toBe(100 * telemetry.requests);
      expect(found.release?.cohorts.size).toBe(200);
      expect([...found.labels.labels()]).toHaveLength(512);
    },
  },
  ...rollUpCases,
];

export function describeTelemetryContract(name: string, adapter: Adapter<Telemetries>): void {
  describeContract(`telemetry: ${name}`, telemetryCases, adapter);
}
