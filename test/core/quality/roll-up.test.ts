import { describe, expect, test } from 'vitest';
import type { RollUp, TelemetryItem } from '../../../core/ports/telemetry.ts';
import { rollUp, WHOLE_REGION } from '../../../core/quality/roll-up.ts';
import { TELEMETRY_KEPT_MS } from '../../../core/quality/telemetry-kept.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from '../../../core/units.ts';
import { KeptTelemetry } from '../../support/recorder.ts';
import { aReport, aTelemetry } from '../../support/telemetry.ts';

/** A whole hour. */
const START = 500_000 * HOUR_MS;

function open(...windows: number[]) {
  const telemetry = new KeptTelemetry();
  let sequence = 0;
  const report = (windowStartMs: number, changes: Partial<TelemetryItem> = {}) => {
    sequence += 1;
    telemetry.items.push(aReport(windowStartMs, { sequence, ...changes }));
  };
  for (const windowStartMs of windows) report(windowStartMs);
  const of = (span: RollUp['span'], { model, version } = { model: 'm', version: '1' }) =>
    telemetry.readRollUps(span, model, version, 0, Number.MAX_SAFE_INTEGER);
  return { telemetry, report, of, roll: (nowMs: number) => rollUp({ telemetry }, nowMs) };
}

describe('a roll-up', () => {
  test('of a minute is made when its last window is written, not before, and of an hour when no report can still come', async () => {
    const { roll, of, telemetry } = open(START, START + 55 * SECOND_MS);
    await roll(START + MINUTE_MS + 14 * SECOND_MS);
    expect(await of('minute')).toEqual([]);
    await roll(START + MINUTE_MS + 15 * SECOND_MS);
    expect((await of('minute')).map(({ startMs, reports }) => [startMs, reports])).toEqual([[START, 2]]);
    await roll(START + HOUR_MS + 20 * MINUTE_MS);
    expect(await of('hour')).toEqual([]);
    await roll(START + HOUR_MS + 21 * MINUTE_MS);
    expect((await of('hour')).map(({ startMs, reports }) => [startMs, reports])).toEqual([[START, 2]]);
    expect(telemetry.rolled).toEqual({
      sinceMs: START - HOUR_MS,
      minutesMs: START + HOUR_MS + 20 * MINUTE_MS,
      settledMs: START + HOUR_MS,
      hoursMs: START + HOUR_MS,
    });
  });

  test('takes in what comes up to twenty minutes late', async () => {
    const { roll, report, of } = open(START);
    const reports = async () => (await of('minute')).map((minute) => minute.reports);
    await roll(START + 3 * MINUTE_MS);
    report(START);
    await roll(START + 10 * MINUTE_MS);
    expect(await reports()).toEqual([1]);
    report(START);
    for (let minute = 11; minute <= 22; minute += 1) await roll(START + minute * MINUTE_MS);
    expect(await reports()).toEqual([3]);
  });

  test('adds all versions of the region up, by version, and nothing that only makes sense of one', async () => {
    const { roll, report, of } = open(START, START);
    report(START, { model: 'other', version: '7', telemetry: aTelemetry({ tenants: 3, release: 'r1' }) });
    await roll(START + 2 * MINUTE_MS);
    const [minute, ...rest] = await of('minute', WHOLE_REGION);
    expect([minute!.reports, minute!.telemetry.requests, rest]).toEqual([3, 5, []]);
    const { labels, confidence, release, tenants, latencyMs } = minute!.telemetry;
    expect(Object.fromEntries(labels.contents().counts)).toEqual({ 'm@1': 2, 'other@7': 3 });
    expect([confidence.count, release, tenants.total, latencyMs.count]).toEqual([0, undefined, 5, 5]);
  });

  test('that was cut off is made by the next run, and nobody reads what is missing as rolled up', async () => {
    const { telemetry, roll, report, of } = open(START);
    report(START, { model: 'other' });
    const keep = telemetry.keepRollUps.bind(telemetry);
    telemetry.keepRollUps = async (rollUps) => {
      if (rollUps.some(({ model }) => model === 'other')) throw new Error('the store is away');
      await keep(rollUps);
    };
    await expect(roll(START + 2 * MINUTE_MS)).rejects.toThrow('the store is away');
    expect(telemetry.rolled).toBeUndefined();
    telemetry.keepRollUps = keep;
    await roll(START + 2 * MINUTE_MS);
    expect([(await of('minute')).length, (await of('minute', { model: 'other', version: '1' })).length]).toEqual([
      1, 1,
    ]);
  });

  test('after a pause catches up by two hours a run, and leaves no hour out', async () => {
    const windows = Array.from({ length: 9 }, (_, hour) => START + hour * HOUR_MS);
    const { telemetry, roll, of } = open(...windows);
    await roll(START + 2 * MINUTE_MS);
    const nowMs = START + 9 * HOUR_MS;
    await roll(nowMs);
    expect(telemetry.rolled!.minutesMs).toBe(START + MINUTE_MS + 2 * HOUR_MS);
    for (let run = 0; run < 6; run += 1) await roll(nowMs);
    expect(telemetry.rolled!.minutesMs).toBe(nowMs - MINUTE_MS);
    await roll(nowMs + 22 * MINUTE_MS);
    expect((await of('hour')).map(({ startMs }) => startMs)).toEqual(windows);
  });

  test('is never made again of reports that are about to be forgotten', async () => {
    const { telemetry, roll, report, of } = open(START);
    await roll(START + 2 * MINUTE_MS);
    const pauseMs = TELEMETRY_KEPT_MS + DAY_MS;
    telemetry.items.length = 0;
    report(START + pauseMs);
    for (let run = 0; run < 200; run += 1) await roll(START + pauseMs + 2 * HOUR_MS);
    expect((await of('minute')).map(({ startMs, reports }) => [startMs, reports])).toEqual([
      [START, 1],
      [START + pauseMs, 1],
    ]);
    expect((await of('hour')).map(({ startMs }) => startMs)).toEqual([START + pauseMs]);
  });
});
