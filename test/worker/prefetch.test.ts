import { expect, test } from 'vitest';
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
