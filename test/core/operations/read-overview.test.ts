import { describe, expect, test } from 'vitest';
import { Overviews } from '../../../core/operations/read-overview.ts';
import type { Platform } from '../../../core/ports/platform.ts';
import { rollUp } from '../../../core/quality/roll-up.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from '../../../core/units.ts';
import { KeptTelemetry } from '../../support/recorder.ts';
import { aReport, aTelemetry } from '../../support/telemetry.ts';

/** Twenty seconds after a whole minute. */
const NOW = 500_000 * HOUR_MS + 30 * MINUTE_MS + 20 * SECOND_MS;

function open() {
  const telemetry = new KeptTelemetry();
  const asked: string[] = [];
  const series = telemetry.series.bind(telemetry);
  telemetry.series = (model, ...rest) => {
    asked.push(model);
    return series(model, ...rest);
  };
  let sequence = 0;
  const report = (agoMs: number, model = 'm', requests = 1) => {
    sequence += 1;
    const changes = { model, sequence, telemetry: aTelemetry({ tenants: requests, latencyMs: 10 }) };
    telemetry.items.push(aReport(NOW - agoMs, changes));
  };
  const clock = { now: NOW };
  const ports = {
    telemetry,
    clock: { nowMs: () => clock.now },
    config: { pools: ['default'] },
    queue: { depth: async () => 2, oldestMs: async () => undefined },
    capacity: {
      read: async () => [
        { worker: 'w1', pool: 'default', runners: 2, busy: 1, loaded: [], rowMs: {}, breakers: {} },
        { worker: 'w2', pool: 'default', runners: 2, loaded: [], rowMs: {}, breakers: {} },
      ],
    },
    releases: { listActive: async () => [] },
    watches: { latest: async () => undefined },
    meters: { read: async () => [] },
  } as unknown as Platform;
  return { telemetry, report, asked, clock, overviews: new Overviews(ports) };
}

describe('the overview', () => {
  test('is the same of a region that is rolled up and of one that was of late', async () => {
    const { telemetry, report, overviews, clock } = open();
    for (const agoMs of [5, 30, 64, 66, 100, 200, 500].map((second) => second * SECOND_MS)) report(agoMs);
    report(70 * MINUTE_MS);
    const figures = async () => {
      const { requestsPerS, requestsLastHour, recent, minutes } = await overviews.read();
      return { requestsPerS, requestsLastHour, recent: recent.requests, steps: minutes.length };
    };
    const before = await figures();
    expect(before).toEqual({ requestsPerS: 2 / 60, requestsLastHour: 7, recent: 6, steps: 5 });
    await rollUp({ telemetry }, NOW);
    clock.now += 4 * SECOND_MS;
    expect((await figures()).requestsLastHour).toBe(7);
    telemetry.items.length = 0;
    clock.now += 4 * SECOND_MS;
    // Roll-ups alone: what is younger is gone.
    expect((await figures()).requestsLastHour).toBe(6);
  });

  test('reads beyond roll-ups of no more than 32 versions, those that were asked most a minute ago', async () => {
    const { telemetry, report, asked, overviews } = open();
    for (let at = 0; at < 50; at += 1) {
      report(30 * SECOND_MS, `model-${at}`, 50 - at);
      report(5 * SECOND_MS, `model-${at}`);
    }
    await rollUp({ telemetry }, NOW);
    const { requestsLastHour } = await overviews.read();
    expect(asked.toSorted()).toEqual(Array.from({ length: 32 }, (_, at) => `model-${at}`).toSorted());
    expect(requestsLastHour).toBe((50 * 51) / 2 + 32);
  });

  test('is read once in three seconds, however many look at it', async () => {
    const { report, asked, overviews, clock } = open();
    report(30 * SECOND_MS);
    await Promise.all([overviews.read(), overviews.read(), overviews.read()]);
    clock.now += 2 * SECOND_MS;
    await overviews.read();
    expect(asked).toHaveLength(1);
    clock.now += SECOND_MS;
    await overviews.read();
    expect(asked).toHaveLength(2);
  });

  test('says of a region without traffic what waits and who works, and that nothing was asked', async () => {
    const { overviews, report } = open();
    report(2 * DAY_MS);
    const { queues, workers, runners, busy, requestsLastHour, recent, minutes, alarms, costTodayUsd } =
      await overviews.read();
    expect(queues.map(({ lane, depth }) => [lane, depth])).toEqual([
      ['interactive', 2],
      ['bulk', 2],
    ]);
    expect({ workers, runners, busy, requestsLastHour, costTodayUsd }).toEqual({
      workers: 2,
      runners: 4,
      busy: 1,
      requestsLastHour: 0,
      costTodayUsd: 0,
    });
    expect([recent.latencyMs.quantile(0.5), minutes]).toEqual([undefined, []]);
    expect(new Set(alarms.map(({ condition }) => condition.kind))).toEqual(new Set(['no-data']));
  });
});
