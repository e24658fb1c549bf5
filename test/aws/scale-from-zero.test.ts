import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest';
import { LANES } from '../../core/inference/job.ts';
import type { InferAnswer } from '../../core/inference/request.ts';
import { wakeWaiting } from '../../core/inference/wake-waiting.ts';
import { SECOND_MS } from '../../core/units.ts';
import { type Emulators, startEmulators } from '../support/aws/emulators.ts';
import { ANSWERED_WITHIN_MS, slowCall, ZeroRegion } from '../support/aws/zero-region.ts';

const ASYNC = { prefer: { respondAsync: true, waitMs: undefined } };
/** Interactive, and yet not waited for. */
const AT_ONCE = { prefer: { respondAsync: false, waitMs: 0 } };
/** How long the queue hides what a worker holds. */
const VISIBILITY_MS = 30 * SECOND_MS;
/** Before a start was measured. */
const FIRST_ESTIMATE_MS = 150 * SECOND_MS;

let emulators: Emulators;
let region: ZeroRegion;

beforeAll(async () => {
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'local');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'local');
  emulators = await startEmulators();
});
afterAll(async () => {
  await emulators.stop();
  vi.unstubAllEnvs();
});

async function atZero(lateMs: number): Promise<void> {
  region = await ZeroRegion.create(emulators);
  region.lateMs = lateMs;
  onTestFinished(() => region.stop());
}

type Submitter = ReturnType<ZeroRegion['open']>;

/** All of them answered, and with what was asked. */
async function expectAnswered(by: Submitter, answers: readonly InferAnswer[], rounds: (at: number) => number) {
  const outcomes = await region.outcomesOf(by, answers, ANSWERED_WITHIN_MS);
  const told = answers.map(({ id }) => Array.from((outcomes.get(id)?.outputs[0]?.data ?? []) as Float32Array));
  expect(told).toEqual(answers.map((_, at) => [rounds(at)]));
  return outcomes;
}

test('requests for a pool at zero get 202 with the time it takes, wake it once, and are answered once by a worker that comes late', async () => {
  await atZero(SECOND_MS);
  const handlers = [region.open(), region.open()] as const;
  const calls = Array.from({ length: 30 }, (_, at) =>
    slowCall(at, { ...(at % 3 === 0 && ASYNC), ...(at % 5 === 0 && { idempotencyKey: `key-${at}` }) }),
  );
  const answers = await Promise.all(calls.map((call, at) => handlers[at % 2]!.gateway.infer(call)));
  for (const answer of answers) {
    expect(answer).toMatchObject({ kind: 'accepted' });
    expect(answer.kind === 'accepted' && answer.retryAfterMs).toBeGreaterThan(FIRST_ESTIMATE_MS - 10 * SECOND_MS);
  }
  expect(region.ecs.calls).toEqual([`DescribeServices ${region.service}`, `UpdateService ${region.service}`]);
  expect(new Set(answers.map(({ id }) => id)).size).toBe(answers.length);
  await expectAnswered(handlers[0], answers, (at) => at);
  expect([...(await region.attempts()).values()]).toEqual(answers.map(() => 1));
  const repeat = await handlers[1].gateway.infer(calls[0]!);
  expect(repeat).toMatchObject({ kind: 'answered', id: answers[0]!.id, replayed: true });
  // Warm now: who waits is answered, and what the start took is what the next one is expected to take.
  expect(await handlers[1].gateway.infer(slowCall(7))).toMatchObject({ kind: 'answered' });
  await vi.waitFor(() => expect(region.logLines.join()).toContain('pool started'), { timeout: 5000 });
  const { wake, clock } = region.open().ports;
  expect(await wake.wake('default', clock.nowMs())).toBeLessThan(FIRST_ESTIMATE_MS / 2);
  expect(region.ecs.updatesOf(region.service)).toBe(1);
}, 60_000);

test('a start that is refused loses nothing: the sweeper asks again, though no request comes any more', async () => {
  await atZero(0);
  const handler = region.open(SECOND_MS);
  const { ports } = handler;
  region.ecs.refusals = 1;
  const answers = await Promise.all([slowCall(1), slowCall(2, ASYNC)].map((call) => handler.gateway.infer(call)));
  expect(answers.map(({ kind }) => kind)).toEqual(['accepted', 'accepted']);
  expect(region.ecs.updatesOf(region.service)).toBe(1);
  expect(region.workers).toEqual([]);
  expect(region.logLines.join()).toContain('was not woken');
  await delay(SECOND_MS);
  expect(await wakeWaiting(ports, ports.clock.nowMs())).toEqual(['default']);
  expect(region.ecs.updatesOf(region.service)).toBe(2);
  await expectAnswered(handler, answers, (at) => at + 1);
}, 60_000);

test('what a worker that was killed held is answered by the next one, and no answer is given twice', async () => {
  await atZero(0);
  const handler = region.open();
  const rounds = (at: number) => 250 + at;
  const calls = Array.from({ length: 10 }, (_, at) => slowCall(rounds(at), at % 2 === 0 ? ASYNC : {}));
  const answers = await Promise.all(calls.map((call) => handler.gateway.infer(call)));
  await vi.waitUntil(async () => (await region.outcomesOf(handler, answers, 0)).size >= 2, {
    timeout: ANSWERED_WITHIN_MS,
  });
  await region.workers[0]!.kill();
  const before = await region.outcomesOf(handler, answers, 0);
  expect(before.size).toBeLessThan(answers.length);
  // Its last report still counts, so the pool seems warm; the queue hands these to the polls of the worker that is gone.
  for (const changes of [ASYNC, AT_ONCE]) {
    answers.push(await handler.gateway.infer(slowCall(rounds(answers.length), changes)));
  }
  // Time of the queue, which is in this process, goes on by what it hides messages for.
  const real = Date.now;
  const now = vi.spyOn(Date, 'now').mockImplementation(() => real() + VISIBILITY_MS + SECOND_MS);
  onTestFinished(() => void now.mockRestore());
  region.startWorker();
  const after = await expectAnswered(handler, answers, rounds);
  for (const [id, outcome] of before) expect(after.get(id)).toEqual(outcome);
  const attempts = await region.attempts();
  for (const id of before.keys()) expect(attempts.get(id)).toBe(1);
}, 60_000);

test('a worker that is told to stop ends what runs, hands back the rest at once, and leaves a pool at zero that wakes again', async () => {
  await atZero(0);
  const handler = region.open(SECOND_MS);
  const rounds = (at: number) => 250 + at;
  const infer = (count: number, from: number) =>
    Promise.all(
      Array.from({ length: count }, (_, at) =>
        handler.gateway.infer(slowCall(rounds(from + at), at % 2 ? AT_ONCE : ASYNC)),
      ),
    );
  const answers = await infer(10, 0);
  await vi.waitUntil(async () => (await region.outcomesOf(handler, answers, 0)).size >= 1, {
    timeout: ANSWERED_WITHIN_MS,
  });
  region.ecs.set(region.service, 0);
  const stopped = region.workers[0]!.stop();
  await vi.waitFor(() => expect(region.logLines.join()).toContain('the worker drains'));
  // The polls that it has left bring these. No other worker may come yet, which would take what is handed back.
  await delay(500);
  region.ecs.refusals = 1;
  answers.push(...(await infer(2, 10)));
  await stopped;
  expect(region.logLines.join()).toContain('the worker has drained');
  const left = await region.outcomesOf(handler, answers, 0);
  expect(left.size).toBeLessThan(answers.length);
  const depths = await Promise.all(LANES.map((lane) => handler.ports.queue.depth('default', lane)));
  expect(depths.reduce((sum, depth) => sum + depth)).toBe(answers.length - left.size);
  await delay(SECOND_MS);
  answers.push(...(await infer(1, 12)));
  expect(answers.at(-1)).toMatchObject({ kind: 'accepted' });
  expect(region.ecs.updatesOf(region.service)).toBe(3);
  await expectAnswered(handler, answers, rounds);
  expect([...(await region.attempts()).values()]).toEqual(answers.map(() => 1));
}, 60_000);
