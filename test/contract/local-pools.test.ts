import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type OpenRegion, openRegion } from '../../adapters/local/open-region.ts';
import { JsonLog } from '../../adapters/node/json-log.ts';
import type { Job } from '../../core/inference/job.ts';
import { MINUTE_MS } from '../../core/units.ts';
import { aJob } from '../support/jobs.ts';
import { ManualClock } from '../support/manual-clock.ts';

const clock = new ManualClock();
let folder: string;
let logged: string[];
let region: OpenRegion;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-test-'));
  logged = [];
  await start(['default', 'acme']);
});

afterEach(async () => {
  await region.close();
  await rm(folder, { recursive: true });
});

async function start(pools: readonly string[]): Promise<void> {
  const log = new JsonLog({ write: (line) => logged.push(line) }, clock, 'debug');
  region = await openRegion({ dataFolder: folder, region: 'us', clock, log, pools });
}

async function restart(pools: readonly string[]): Promise<void> {
  await region.close();
  await start(pools);
}

async function accept(job: Job): Promise<void> {
  await region.jobs.create(job, job.deadlineMs + MINUTE_MS);
  await region.queue.send(job);
  await region.jobs.markQueued(job.tenant, job.id);
}

const receive = (pool: string) => region.queue.receive(pool, 'interactive', 10, 0, MINUTE_MS);

it('hands the jobs of a pool without workers to default, once, and back to their pool if it returns first', async () => {
  const [first, second] = [aJob({ durable: true, pool: 'acme' }), aJob({ durable: true, pool: 'acme' })];
  for (const job of [first, second]) await accept(job);
  await restart(['default']);
  expect(logged.join()).toContain('go to the pool default');
  const deliveries = await receive('default');
  expect(deliveries.map(({ job }) => job)).toEqual([first, second].map((job) => ({ ...job, pool: 'default' })));
  await region.queue.extend(deliveries, 2 * MINUTE_MS);
  await clock.advance(MINUTE_MS);
  expect(await receive('default')).toEqual([]);
  await region.queue.giveBack(deliveries.slice(1));
  await region.queue.acknowledge(deliveries.slice(0, 1));
  expect(await region.queue.depth('default', 'interactive')).toBe(1);
  expect(await region.queue.depth('acme', 'interactive')).toBe(0);
  await restart(['default', 'acme']);
  expect(await receive('default')).toEqual([]);
  expect((await receive('acme')).map(({ job }) => job)).toEqual([second]);
});

it('takes what is sent to such a pool after the start in the same way', async () => {
  await restart(['default']);
  const job = aJob({ durable: true, pool: 'acme' });
  await accept(job);
  expect((await receive('default')).map(({ job: { id, pool } }) => [id, pool])).toEqual([[job.id, 'default']]);
});
