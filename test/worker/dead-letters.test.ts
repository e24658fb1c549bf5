import { expect, test, vi } from 'vitest';
import { Failure } from '../../core/failure.ts';
import { deadLetterId } from '../../core/inference/dead-letter.ts';
import type { DeadLetter } from '../../core/ports/dead-letters.ts';
import { aVersion } from '../support/jobs.ts';
import type { WorkerWorld } from '../support/worker-ports.ts';
import { resultOf, rowJob, startFakeWorker } from '../support/worker-setup.ts';

const lost = (world: WorkerWorld) => {
  const version = aVersion();
  world.add(version, 'm.onnx');
  world.losePath(version);
};

test('an accepted job whose model is lost is a dead letter before it has failed; one whose caller waits is told alone', async () => {
  const { world } = await startFakeWorker({}, lost);
  const [accepted, awaited] = [rowJob(1, { durable: true }), rowJob(2)];
  const seen: string[] = [];
  const keep = world.deadLetters.push.bind(world.deadLetters);
  world.deadLetters.push = (...letters: DeadLetter[]) => {
    seen.push(...letters.map(({ prediction }) => `${prediction} ${world.outcomes.has(prediction)}`));
    return keep(...letters);
  };
  const outcomes = await Promise.all([world.send(accepted), world.send(awaited)]);
  expect(outcomes.map(resultOf)).toEqual(['artifact-missing', 'artifact-missing']);
  expect(seen).toEqual([`${accepted.id} false`]);
  const { tenant, pool, lane } = accepted;
  expect([...world.deadLetters]).toMatchObject([
    {
      id: deadLetterId(accepted.id),
      tenant,
      pool,
      lane,
      model: 'm',
      version: '1',
      reason: 'artifact-missing',
      attempts: 1,
    },
  ]);
});

test('what cannot be kept is not ended: it comes again', async () => {
  const { world } = await startFakeWorker({}, lost);
  world.deadLetters.push = () => {
    throw new Failure('storage-unavailable');
  };
  const job = rowJob(1, { durable: true });
  void world.send(job);
  await vi.waitFor(() => expect(world.log.map(({ message }) => message)).toContain('outcome not written'));
  expect([world.outcomes.size, world.acknowledged]).toEqual([0, []]);
});

test('what was started too often is a dead letter; what failed by its input is not', async () => {
  const { world } = await startFakeWorker();
  const job = rowJob(1, { durable: true });
  world.attempts.set(job.id, 1000);
  expect(resultOf(await world.send(job))).toBe('prediction-failed');
  expect(world.deadLetters).toMatchObject([{ prediction: job.id, reason: 'prediction-failed' }]);
  const expired = rowJob(2, { durable: true, deadlineMs: 1 });
  expect(resultOf(await world.send(expired))).toBe('prediction-expired');
  expect(world.deadLetters).toHaveLength(1);
});
