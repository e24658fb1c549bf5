import { expect, test } from 'vitest';
import { DAY_MS } from '../../core/units.ts';
import { aVersion } from '../support/jobs.ts';
import { resultOf, rowJob, startFakeWorker } from '../support/worker-setup.ts';

/** 100 ms a run: 15 of them are the 1.5 s that one runner takes ahead of interactive work. */
const SLOW = aVersion({ rowMs: 100, manifest: { batching: { maxRows: 1 } } });

test('a flood that fills a worker keeps no other tenant out: what is beyond two seconds of work goes back, its own first', async () => {
  const { runners, world } = await startFakeWorker({}, (prepared) => prepared.add(SLOW, 'm.onnx'));
  runners.runMs = () => 100;
  const flood = Array.from({ length: 25 }, (_, value) => rowJob(value, { tenant: 'flooder' }));
  for (const job of flood) void world.send(job);
  const quiet = rowJob(99, { tenant: 'quiet' });
  expect(resultOf(await world.send(quiet))).toEqual([100]);
  const values = runners.runs.map(({ inputs }) => inputs[0]!.data[0]);
  expect(values.indexOf(99)).toBeLessThanOrEqual(2);
  expect(world.returned).not.toContain(quiet.id);
  expect(world.returned.length).toBeGreaterThan(0);
  expect(flood.map(({ id }) => id)).toEqual(expect.arrayContaining([...new Set(world.returned)]));
});

test('work that finds no room for long is handed out so seldom that no queue gives it up before its deadline', async () => {
  const { runners, world } = await startFakeWorker({}, (prepared) => {
    prepared.add(aVersion({ rowMs: 4, manifest: { batching: { maxRows: 1 } } }), 'm.onnx');
    prepared.add(aVersion({ model: 'heavy', rowMs: 300, manifest: { batching: { maxRows: 1 } } }), 'heavy.onnx');
  });
  runners.runMs = () => 4;
  const acceptedAtMs = world.clock.nowMs();
  // Bulk work does not stand before its own tenant's interactive work: it waits for all of it.
  const quick = Array.from({ length: 200 }, (_, value) => world.send(rowJob(value)));
  const changes = { model: 'heavy', lane: 'bulk', acceptedAtMs, deadlineMs: acceptedAtMs + DAY_MS } as const;
  const bulk = Array.from({ length: 3 }, (_, value) => rowJob(value, changes));
  const ended = bulk.map((job) => world.send(job));
  await Promise.all(quick);
  for (const { id } of bulk)
    expect([...world.returned, ...world.rested].filter((one) => one === id).length).toBeLessThan(15);
  expect(world.rested.length).toBeGreaterThan(0);
  expect((await Promise.all(ended)).map(resultOf)).toEqual([[1], [2], [3]]);
});
