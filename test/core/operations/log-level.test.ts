import { expect, test } from 'vitest';
import { LEVEL_AGE_MS, LiveLogLevel, readLogLevel, setLogLevel } from '../../../core/operations/log-level.ts';
import type { LogLevelChange } from '../../../core/ports/log-levels.ts';
import { MINUTE_MS } from '../../../core/units.ts';
import { NO_LOG } from '../../support/aws/aws-jobs.ts';
import { ManualClock } from '../../support/manual-clock.ts';

function open() {
  const clock = new ManualClock();
  let change: LogLevelChange | undefined;
  let reads = 0;
  let isDown = false;
  const logLevels = {
    async put(next: LogLevelChange) {
      change = next;
    },
    async read() {
      reads += 1;
      if (isDown) throw new Error('down');
      return change;
    },
  };
  const levels: string[] = [];
  const ports = { logLevels, clock, log: NO_LOG };
  const live = new LiveLogLevel<'info' | 'warn'>(ports, 'info', (level) => levels.push(level));
  return { ...ports, levels, live, reads: () => reads, fail: () => (isDown = true) };
}

test('a change is in force within its age, and over by itself without a look, also where the store is down then', async () => {
  const { live, levels, clock, fail, ...ports } = open();
  await live.refresh();
  await setLogLevel({ ...ports, clock }, 'key:1', 'debug', 5);
  await live.refresh();
  expect(levels).toEqual([]);
  await clock.advance(LEVEL_AGE_MS);
  await live.refresh();
  expect(levels).toEqual(['debug']);
  fail();
  await clock.advance(5 * MINUTE_MS - LEVEL_AGE_MS - 1);
  await live.refresh();
  expect(levels).toEqual(['debug']);
  await clock.advance(1);
  await live.refresh();
  expect(levels).toEqual(['debug', 'info']);
});

test('it reads twice a minute at the most, however often it is asked, and goes on where reading fails', async () => {
  const { live, clock, reads, fail, levels } = open();
  for (let times = 0; times < 50; times += 1) await live.refresh();
  expect(reads()).toBe(1);
  fail();
  await clock.advance(LEVEL_AGE_MS);
  await live.refresh();
  expect([reads(), levels]).toEqual([2, []]);
});

test('it goes back to what the process is told meanwhile', async () => {
  const { live, levels, clock, ...ports } = open();
  await setLogLevel({ ...ports, clock }, 'key:1', 'debug', 1);
  await live.refresh('info');
  await clock.advance(MINUTE_MS);
  await live.refresh('warn');
  expect(levels).toEqual(['debug', 'warn']);
});

test('what is over is not shown', async () => {
  const { clock, ...ports } = open();
  const change = await setLogLevel({ ...ports, clock }, 'key:1', 'error', 2);
  expect(await readLogLevel({ ...ports, clock })).toEqual(change);
  await clock.advance(2 * MINUTE_MS);
  expect(await readLogLevel({ ...ports, clock })).toBeUndefined();
});
