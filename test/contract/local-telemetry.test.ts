import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, onTestFinished, test } from 'vitest';
import { HOUR_MS } from '../../core/units.ts';
import { openLocalPlatform } from '../support/local-platform.ts';
import { aReport, aTelemetry } from '../support/telemetry.ts';

async function open() {
  const platform = await openLocalPlatform();
  onTestFinished(() => platform.close());
  return platform;
}

test('a row that cannot be read is left out with a line in the log, and nothing of it is in that line', async () => {
  const platform = await open();
  const nowMs = platform.clock.nowMs();
  const telemetry = aTelemetry({ label: 'secret' });
  await platform.ports.telemetry.append([1, 2, 3].map((sequence) => aReport(nowMs, { sequence, telemetry })));
  await platform.ports.close();
  const database = new DatabaseSync(join(platform.folder, 'region.db'));
  database.exec(`UPDATE telemetry SET encoded = '{"secret":' WHERE sequence = 1`);
  database.exec(`UPDATE telemetry SET encoded = replace(encoded, '"requests":1', '"requests":-1') WHERE sequence = 2`);
  database.close();
  await platform.start();
  const found = await platform.ports.telemetry.read('m', '1', nowMs, nowMs + 1);
  expect([found.requests, found.labels.get('secret')]).toEqual([1, 1]);
  const lines = platform.logged.filter((line) => line.includes('telemetry cannot be read'));
  expect(lines).toHaveLength(2);
  expect(lines.join()).not.toContain('secret');
});

test('a long read lets others have their turn', async () => {
  const platform = await open();
  const nowMs = platform.clock.nowMs();
  const { telemetry } = platform.ports;
  for (let at = 0; at < 10; at += 1) {
    const items = Array.from({ length: 100 }, (_, sequence) => aReport(nowMs + at, { sequence }));
    await telemetry.append(items);
  }
  let turns = 0;
  const count = () => {
    turns += 1;
    counting = setImmediate(count);
  };
  let counting = setImmediate(count);
  const found = await telemetry.read('m', '1', nowMs, nowMs + 10);
  clearImmediate(counting);
  expect(found.requests).toBe(1000);
  expect(turns).toBeGreaterThan(10);
});

test('of reads at once one has a turn, so that others wait for four rows at the most', async () => {
  const platform = await open();
  const nowMs = platform.clock.nowMs();
  const { telemetry } = platform.ports;
  await telemetry.append(Array.from({ length: 40 }, (_, sequence) => aReport(nowMs, { sequence })));
  let turns = 0;
  const count = () => {
    turns += 1;
    counting = setImmediate(count);
  };
  let counting = setImmediate(count);
  const found = await Promise.all(Array.from({ length: 8 }, () => telemetry.read('m', '1', nowMs, nowMs + 1)));
  clearImmediate(counting);
  expect(found.map(({ requests }) => requests)).toEqual(new Array(8).fill(40));
  // Ten parts each, and one in which there is nothing more.
  expect(turns).toBeGreaterThanOrEqual(80);
});

test('a roll-up that cannot be read is left out with a line in the log, and nothing of it is in that line', async () => {
  const platform = await open();
  const hourMs = Math.floor(platform.clock.nowMs() / HOUR_MS) * HOUR_MS;
  const telemetry = aTelemetry({ label: 'secret' });
  const rollUp = { span: 'hour', model: 'm', version: '1', reports: 1, telemetry } as const;
  await platform.ports.telemetry.keepRollUps([hourMs - HOUR_MS, hourMs].map((startMs) => ({ ...rollUp, startMs })));
  await platform.ports.close();
  const database = new DatabaseSync(join(platform.folder, 'region.db'));
  database.exec(`UPDATE telemetry_roll_up SET encoded = '{"secret":' WHERE start_ms = ${hourMs}`);
  database.close();
  await platform.start();
  const found = await platform.ports.telemetry.readRollUps('hour', 'm', '1', 0, hourMs + 1);
  expect(found.map(({ startMs }) => startMs)).toEqual([hourMs - HOUR_MS]);
  const lines = platform.logged.filter((line) => line.includes('rolled-up telemetry cannot be read'));
  expect(lines).toHaveLength(1);
  expect(lines.join()).not.toContain('secret');
});
