import { describe, expect, test } from 'vitest';
import { Meter } from '../../../core/cost/meter.ts';
import { encodeMeter } from '../../../core/cost/meter-codec.ts';
import { dayOf } from '../../../core/cost/meter-days.ts';
import type { MeterRecord } from '../../../core/ports/meters.ts';
import { DAY_MS, MINUTE_MS, SECOND_MS } from '../../../core/units.ts';
import { ManualClock } from '../../support/manual-clock.ts';

const CONFIG = {
  ...{ worker: 'w1', pool: 'default', instanceType: 'local', gpu: false, runners: 2, usdPerHour: 0.1 },
  purchase: 'on-demand',
} as const;
const EVERY_MS = 5 * SECOND_MS;

function open() {
  const clock = new ManualClock();
  const saves: MeterRecord[] = [];
  const logged: string[] = [];
  const write = (message: string) => void logged.push(message);
  const log = { debug: write, info: write, warn: write, error: write };
  const store = { isAway: false, busyMs: 0 };
  const meters = {
    async save(record: MeterRecord) {
      if (store.isAway) throw new Error('the store is away');
      saves.push(record);
    },
  };
  const meter = new Meter({ meters, clock, log }, CONFIG, () => store.busyMs);
  /** What a store holds that puts a record in place of the last of its name. */
  const kept = () => [
    ...new Map(saves.map((record) => [`${record.day} ${record.writer} ${record.part}`, record])).values(),
  ];
  const sum = (what: (record: MeterRecord) => number) => kept().reduce((total, record) => total + what(record), 0);
  return {
    ...{ clock, saves, logged, store, meter, kept, sum },
    requests: () => sum(({ uses }) => uses.reduce((total, use) => total + use.requests, 0)),
    /** Seconds pass one by one, as they do for a worker. */
    async pass(seconds: number) {
      for (let second = 0; second < seconds; second += 1) await clock.advance(SECOND_MS);
    },
  };
}

const use = (changes: object = {}) => ({ tenant: 'acme', model: 'm', version: '1', computeMs: 4, rows: 2, ...changes });

describe('a meter', () => {
  test('saves totals of the day so far, and each tenant and version of it once', async () => {
    const { meter, saves, kept } = open();
    for (const tenant of ['acme', 'acme', 'globex']) meter.used(use({ tenant }));
    await meter.save();
    meter.used(use({ version: '2', computeMs: 0.5, rows: 0 }));
    meter.used(use());
    await meter.save();
    expect(saves).toHaveLength(2);
    expect(kept()).toHaveLength(1);
    expect(kept()[0]!.uses).toEqual([
      { ...use({ computeMs: 12, rows: 6 }), requests: 3 },
      { ...use({ tenant: 'globex' }), requests: 1 },
      { ...use({ version: '2', computeMs: 0.5, rows: 0 }), requests: 1 },
    ]);
  });

  test('saves once an interval while there is work and once a minute while there is none, whatever the number of requests', async () => {
    const { meter, saves, pass } = open();
    const stopped = new AbortController();
    const running = meter.run(EVERY_MS, stopped.signal);
    await pass(1);
    expect(saves).toHaveLength(1);
    for (let second = 0; second < 60; second += 1) {
      for (let request = 0; request < 1000; request += 1) meter.used(use());
      await pass(1);
    }
    expect(saves).toHaveLength(1 + MINUTE_MS / EVERY_MS);
    await pass(120);
    expect(saves.length).toBeLessThanOrEqual(1 + MINUTE_MS / EVERY_MS + 3);
    stopped.abort();
    await running;
  });

  test('that is killed loses no more than it did since its last interval', async () => {
    const { meter, pass, requests } = open();
    void meter.run(EVERY_MS, new AbortController().signal);
    for (let second = 0; second < 63; second += 1) {
      meter.used(use());
      await pass(1);
    }
    // Nothing more comes of it.
    expect(requests()).toBeGreaterThanOrEqual(63 - EVERY_MS / SECOND_MS);
  });

  test('counts the time that it is there and that its runners are busy', async () => {
    const { meter, pass, store, sum } = open();
    void meter.run(EVERY_MS, new AbortController().signal);
    await pass(90);
    store.busyMs = 30_000;
    await meter.save();
    expect([sum(({ worker }) => worker.upMs), sum(({ worker }) => worker.busyMs)]).toEqual([90_000, 30_000]);
  });

  test('gives each day what was in it, to the millisecond, over midnight UTC', async () => {
    const { meter, clock, pass, kept } = open();
    const midnight = (dayOf(clock.nowMs()) + 1) * DAY_MS;
    await clock.advance(midnight - clock.nowMs() - 10_400);
    // What has passed until now is not this test's.
    await meter.save();
    const before = kept()[0]!.worker.upMs;
    void meter.run(EVERY_MS, new AbortController().signal);
    meter.used(use());
    await pass(20);
    meter.used(use());
    meter.used(use());
    await meter.save();
    const days = kept().map(({ day, worker, uses }) => [day * DAY_MS - midnight, worker.upMs, uses[0]!.requests]);
    expect(days).toEqual([
      [-DAY_MS, before + 10_400, 1],
      [0, 9_600, 2],
    ]);
  });

  test('counts a job that ends after midnight, before anything else is counted, for the new day', async () => {
    const { meter, clock, kept } = open();
    const midnight = (dayOf(clock.nowMs()) + 1) * DAY_MS;
    await clock.advance(midnight - clock.nowMs() - 500);
    await meter.save();
    await clock.advance(1000);
    meter.used(use());
    await meter.save();
    const [first, second] = kept();
    expect([first!.uses, second!.uses.length]).toEqual([[], 1]);
    expect(second!.worker.upMs).toBe(500);
  });

  test.each([
    ['an hour forward', 60 * MINUTE_MS],
    ['an hour back', -60 * MINUTE_MS],
    ['over midnight and back', DAY_MS],
  ])('a clock that is set %s is no time that was paid for, and loses no request', async (_, stepMs) => {
    const { meter, clock, sum, requests } = open();
    // A worker's timers go on, whatever its clock says: it adds up each second.
    const live = async () => {
      for (let second = 0; second < 10; second += 1) {
        await clock.advance(SECOND_MS);
        await meter.save();
      }
    };
    await live();
    meter.used(use());
    await clock.advance(stepMs);
    meter.used(use());
    await live();
    await clock.advance(-stepMs);
    meter.used(use());
    await live();
    await meter.save();
    expect(requests()).toBe(3);
    const upMs = sum(({ worker }) => worker.upMs);
    expect(Math.abs(upMs - 30_000)).toBeLessThanOrEqual(2 * SECOND_MS);
  });

  test('begins another part where one is full: each stays below 300 KB, and they add up', async () => {
    const { meter, kept, saves, requests } = open();
    for (let at = 0; at < 12_000; at += 1) {
      meter.used(use({ tenant: `tenant-${at % 6000}-${'x'.repeat(40)}` }));
      if (at % 1000 === 999) await meter.save();
    }
    await meter.save();
    expect(kept().length).toBeGreaterThan(2);
    for (const record of saves) expect(encodeMeter(record).length).toBeLessThan(300 * 1024);
    expect(requests()).toBe(12_000);
    // One put a save, and one more for each part that is full.
    expect(saves.length).toBeLessThanOrEqual(13 + kept().length);
  });

  test('keeps what a store that is away did not take, says so once, and loses the oldest parts only beyond six megabytes', async () => {
    const { meter, store, logged, requests, pass } = open();
    store.isAway = true;
    void meter.run(EVERY_MS, new AbortController().signal);
    for (let second = 0; second < 30; second += 1) {
      meter.used(use());
      await pass(1);
    }
    expect(logged).toEqual(['metered use not saved: tried again']);
    store.isAway = false;
    await meter.save();
    expect(requests()).toBe(30);
    store.isAway = true;
    const tenant = 'x'.repeat(1000);
    for (let at = 0; at < 8000; at += 1) meter.used(use({ tenant: `${at}${tenant}` }));
    await meter.save();
    expect(logged.filter((line) => line.startsWith('metered use dropped')).length).toBeGreaterThan(0);
  });

  test('loses nothing that is counted while it saves', async () => {
    const { meter, requests, clock } = open();
    const midnight = (dayOf(clock.nowMs()) + 1) * DAY_MS;
    for (let at = 0; at < 50; at += 1) {
      const saving = meter.save();
      meter.used(use());
      if (at === 25) await clock.advance(midnight - clock.nowMs());
      meter.used(use({ tenant: `t${at}` }));
      await Promise.all([saving, meter.save()]);
    }
    await meter.save();
    expect(requests()).toBe(100);
  });
});
