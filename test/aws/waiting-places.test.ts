import { afterAll, beforeAll, expect, test } from 'vitest';
import { Table } from '../../adapters/aws/table.ts';
import { AwsWaitingPlaces } from '../../adapters/aws/waiting-places.ts';
import type { Job } from '../../core/inference/job.ts';
import { awaitOutcome } from '../../core/inference/wait.ts';
import { SECOND_MS } from '../../core/units.ts';
import { success } from '../contract/jobs-given.ts';
import { openAwsJobs } from '../support/aws/aws-jobs.ts';
import { type Emulators, startEmulators } from '../support/aws/emulators.ts';
import { aJob } from '../support/jobs.ts';

let emulators: Emulators;
beforeAll(async () => {
  emulators = await startEmulators();
});
afterAll(() => emulators.stop());

test('of three processes that wait long for jobs of one tenant in two places, one gives up and two get their answers', async () => {
  const region = await openAwsJobs(emulators);
  const { clock } = region;
  const table = await emulators.dynamo.createTable();
  const openPlaces = () => new AwsWaitingPlaces(new Table(emulators.dynamo.client, table));
  const ended: string[] = [];
  const wait = async (job: Job) => {
    const place = { places: openPlaces(), limit: 2, freeMs: 100 };
    const patience = { untilMs: clock.nowMs() + 20 * SECOND_MS, signal: undefined, place };
    const outcome = await awaitOutcome({ jobs: region.openProcess().jobs, clock }, job, patience);
    ended.push(outcome?.kind ?? 'given up');
  };
  const jobs = ['pred_1', 'pred_2', 'pred_3'].map((id) => aJob({ id, durable: false }));
  const waits = jobs.map(wait);
  await clock.advance(100);
  await Promise.race(waits);
  expect(ended).toEqual(['given up']);
  const worker = region.openProcess().jobs;
  for (const job of jobs) {
    await worker.begin(job);
    await worker.finish(job, success(1));
  }
  await Promise.all(waits);
  expect(ended).toEqual(['given up', 'succeeded', 'succeeded']);
  const nowMs = clock.nowMs();
  const again = () => openPlaces().take(jobs[0]!.tenant, 2, nowMs + SECOND_MS, nowMs);
  expect([await again(), await again(), await again()].map((place) => place !== undefined)).toEqual([
    true,
    true,
    false,
  ]);
});
