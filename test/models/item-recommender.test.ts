import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ensureSampleModel } from '../../models/build.ts';
import { rankingOf } from '../../models/item-recommender.ts';
import { type ApiClient, inferPath } from '../support/http-client.ts';
import { expectProblem } from '../support/problems.ts';
import { type RunningPlatform, startRunning } from '../support/running-platform.ts';

let running: RunningPlatform;
let acme: ApiClient;
beforeAll(async () => {
  running = await startRunning({ models: ['item-recommender'], runners: 1 });
  acme = await running.addTenant('acme');
}, 30_000);
afterAll(() => running.end());

const rank = (user: number, items: readonly number[]) =>
  acme.post(inferPath('item-recommender'), { inputs: rankingOf(user, items) });

test('items are ranked over HTTP, each from 0 to 1, and alone as together', async () => {
  const together = await rank(42, [1, 2, 3]);
  expect(together.status).toBe(200);
  const scores = together.json<{ outputs: { data: number[] }[] }>().outputs[0]!.data;
  expect(scores).toHaveLength(3);
  for (const score of scores) expect(score).toBeGreaterThan(0);
  for (const score of scores) expect(score).toBeLessThan(1);
  expect(new Set(scores).size).toBe(3);
  const alone = await rank(42, [2]);
  expect(alone.json<{ outputs: { data: number[] }[] }>().outputs[0]!.data[0]).toBeCloseTo(scores[1]!, 6);
});

test.each([
  ['the first user and the last item', 0, [4999], 200],
  ['the last user and the first item', 9999, [0], 200],
  ['a user beyond the last', 10_000, [0], 400],
  ['an item beyond the last', 0, [1, 2, 5000], 400],
  ['an item before the first', 0, [-1], 400],
])('%s: %i, %j is answered with %i', async (_, user, items, status) => {
  const answer = await rank(user, items);
  expect(answer.status).toBe(status);
  if (status === 400) expectProblem(answer, 'value-out-of-range');
});

test('it is the same model whenever it is built', async () => {
  const [first, second] = await Promise.all(
    ['one', 'two'].map(async (name) =>
      readFileSync(join(await ensureSampleModel('item-recommender', join(running.dataFolder, name)), 'model.onnx')),
    ),
  );
  expect(first!.equals(second!)).toBe(true);
});
