import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { openRegion } from '../../adapters/local/open-region.ts';
import { JsonLog } from '../../adapters/node/json-log.ts';
import { SystemClock } from '../../adapters/node/system-clock.ts';
import { collectPool } from '../../bin/options.ts';
import type { Job } from '../../core/inference/job.ts';
import { slowModel } from '../support/bad-models.ts';
import { echoText } from '../support/echo-models.ts';
import { type ApiClient, firstOutput, fourOf, int64s, texts } from '../support/http-client.ts';
import { aJob, floats } from '../support/jobs.ts';
import { expectProblem } from '../support/problems.ts';
import { withManifest } from '../support/push-model.ts';
import { type RunningPlatform, startRunning } from '../support/running-platform.ts';

/** Two seconds or so of one core, more where others use it too. */
const SLOW_ROUNDS = 3000;
const ASYNC = { headers: { prefer: 'respond-async' } };

/** On a machine that does many things at once a second of work may take ten. */
const SLOW = withManifest(slowModel(), { timeoutMs: 60_000 });
/** Its fallback answers while its workers are not there. */
const GUARDED = withManifest(echoText('guarded'), { pool: 'extra', fallback: { outputs: { echo: ['sorry'] } } });
const PLACED = withManifest(echoText('placed'), { pool: 'extra' });

let running: RunningPlatform;
let operator: ApiClient;
let acme: ApiClient;
let initech: ApiClient;

beforeAll(async () => {
  running = await startRunning({
    models: ['row-sum', SLOW, PLACED, GUARDED],
    runners: 1,
    pools: { acme: 1, extra: 1 },
  });
  operator = await running.addKey(undefined);
  acme = await running.addTenant('acme');
  initech = await running.addTenant('initech');
  expect((await patch('acme', { pool: 'acme' })).status).toBe(200);
  await vi.waitFor(async () => {
    await acme.infer('row-sum', fourOf(1));
    expect(await loaded('acme')).toContain('row-sum@1');
  });
});

afterAll(() => running.end());

const patch = (tenant: string, body: object, client = operator) =>
  client.send('PATCH', `/control/v1/tenants/${tenant}`, { body });
const inFlight = async (tenant: string, client: ApiClient) =>
  (await client.get(`/control/v1/tenants/${tenant}/usage`)).json<{ in_flight: number }>().in_flight;

/** What the workers of a pool have in memory. */
async function loaded(pool: string): Promise<readonly string[]> {
  const { capacity, clock } = running.region().platform;
  return (await capacity.read(pool, clock.nowMs())).flatMap((report) => report.loaded);
}

describe('a pool of its own', () => {
  test('is given and taken by operators alone', async () => {
    const spec = { id: 'owner', name: 'Owner', plan: 'pro', pool: 'extra' };
    expect((await operator.post('/control/v1/tenants', spec)).json()).toMatchObject({ pool: 'extra' });
    expect((await patch('owner', { name: 'Renamed' })).json()).toMatchObject({ pool: 'extra', name: 'Renamed' });
    expect((await patch('owner', { pool: null })).json()).toMatchObject({ pool: null });
    expect((await operator.get('/control/v1/tenants/owner')).json()).toMatchObject({ pool: null });
    expectProblem(await patch('initech', { pool: 'acme' }, initech), 'forbidden');
    const known = ['default', 'acme', 'extra'];
    for (const refused of [
      await patch('owner', { pool: 'nowhere' }),
      await operator.post('/control/v1/tenants', { ...spec, id: 'another', pool: 'nowhere' }),
    ]) {
      const problem = expectProblem(refused, 'pool-unknown', { field: 'pool' });
      expect([...(problem.known as string[])].sort()).toEqual([...known].sort());
    }
    expectProblem(await operator.get('/control/v1/tenants/another'), 'tenant-unknown');
    expectProblem(await patch('owner', { pool: 'No Pool' }), 'request-invalid');
  });

  test('answers while the workers of all others are busy', async () => {
    const ended: string[] = [];
    const busy = initech.infer('slow', int64s('rounds', SLOW_ROUNDS)).then(() => ended.push('busy'));
    await vi.waitFor(async () => expect(await inFlight('initech', initech)).toBe(1));
    await new Promise((resolve) => setTimeout(resolve, 200));
    const behind = initech.infer('row-sum', fourOf(1)).then(() => ended.push('behind'));
    for (let i = 0; i < 20; i += 1) {
      expect(firstOutput(await acme.infer('row-sum', fourOf(i)))).toEqual([4 * i]);
    }
    ended.push('acme');
    await Promise.all([busy, behind]);
    expect(ended[0]).toBe('acme');
  });

  test('is where the models of that pool run, unless the tenant has another', async () => {
    expect(firstOutput(await initech.infer('placed', texts('text', 'a')))).toEqual(['a']);
    await vi.waitFor(async () => expect(await loaded('extra')).toContain('placed@1'));
    expect(await loaded('default')).not.toContain('placed@1');
    expect(await loaded('acme')).not.toContain('placed@1');
    expect(firstOutput(await acme.infer('placed', texts('text', 'a')))).toEqual(['a']);
    await vi.waitFor(async () => expect(await loaded('acme')).toContain('placed@1'));
  });

  test('that has no worker is seen in the readiness of the server', async () => {
    expect((await initech.get('/v2/health/ready')).status).toBe(200);
    const { capacity } = running.region().platform;
    const read = capacity.read.bind(capacity);
    const reading = vi.spyOn(capacity, 'read');
    reading.mockImplementation((pool, nowMs) => (pool === 'extra' ? Promise.resolve([]) : read(pool, nowMs)));
    expect((await initech.get('/v2/health/ready')).status).toBe(503);
    reading.mockRestore();
  });

  test('is named by the worker that serves it', async () => {
    const { capacity, clock } = running.region().platform;
    const workers = await Promise.all(
      ['default', 'acme', 'extra'].map(async (pool) => (await capacity.read(pool, clock.nowMs())).map((r) => r.worker)),
    );
    expect(workers).toEqual([['us-default-1'], ['us-acme-1'], ['us-extra-1']]);
  });
});

/** Two accepted jobs of acme's pool, as a crash leaves them: one in the queue, one that had yet to be sent. */
async function leaveJobs(dataFolder: string): Promise<readonly Job[]> {
  const clock = new SystemClock();
  const log = new JsonLog({ write: () => {} }, clock, 'error');
  const storage = await openRegion({ dataFolder, region: 'us', clock, log });
  const jobs = [1, 2].map(() =>
    aJob({ model: 'row-sum', pool: 'acme', durable: true, inputs: [floats('x', [1, 4], [1, 2, 3, 4])] }),
  );
  for (const job of jobs) await storage.jobs.create(job, job.deadlineMs + 60_000);
  await storage.queue.send(jobs[0]!);
  await storage.jobs.markQueued('acme', jobs[0]!.id);
  await storage.close();
  return jobs;
}

describe('a pool that is no longer there', () => {
  test('loses no accepted job, and refuses what would have run in it until operators decide', async () => {
    await running.stop();
    const [queued, unsent] = await leaveJobs(running.dataFolder);
    const again = await startRunning({ dataFolder: running.dataFolder, runners: 1 });
    try {
      const [client, other, admin] = [acme, initech, operator].map(({ key }) => again.client(key));
      for (const job of [queued, unsent]) {
        expect(firstOutput(await client!.result(`/v2/predictions/${job!.id}`))).toEqual([10]);
      }
      expect(again.logLines.some((line) => line.includes('go to the pool default'))).toBe(true);
      for (const headers of [{}, ASYNC.headers]) {
        const refused = await client!.infer('row-sum', fourOf(1), { headers });
        expect(expectProblem(refused, 'pool-unavailable').pool).toBe('acme');
        expect(refused.status).toBe(503);
        expect(refused.header('retry-after')).toBe('60');
      }
      expect(expectProblem(await other!.infer('placed', texts('text', 'a')), 'pool-unavailable').pool).toBe('extra');
      const degraded = await other!.infer('guarded', texts('text', 'a'));
      expect([firstOutput(degraded), degraded.header('sluice-degraded')]).toEqual([['sorry'], 'overloaded']);
      expect(firstOutput(await other!.infer('row-sum', fourOf(1)))).toEqual([4]);
      expect((await client!.get('/v2/models/row-sum/ready')).status).toBe(503);
      expect((await other!.get('/v2/models/row-sum/ready')).status).toBe(200);
      const readiness = async (caller: ApiClient | undefined) => {
        const { models } = (await caller!.get('/v2/models')).json<{ models: { name: string; ready: boolean }[] }>();
        return Object.fromEntries(models.map(({ name, ready }) => [name, ready]));
      };
      expect(await readiness(client)).toMatchObject({ 'row-sum': false });
      expect(await readiness(other)).toMatchObject({ 'row-sum': true, placed: false });
      expect(await client!.get('/v2/health/ready')).toMatchObject({ status: 200 });
      const usage = await client!.get('/control/v1/tenants/acme/usage');
      expect(usage.json()).toMatchObject({ in_flight: 0 });
      // Other members can be changed as before.
      expect((await patch('acme', { name: 'Acme Inc.' }, admin)).status).toBe(200);
      expect((await patch('acme', { pool: null }, admin)).status).toBe(200);
      await vi.waitFor(async () => expect((await client!.infer('row-sum', fourOf(1))).status).toBe(200), {
        timeout: 3000,
      });
    } finally {
      await again.stop();
    }
  });
});

describe('--pool', () => {
  test('names pools and their runners, each once', () => {
    expect(collectPool('acme=1')).toEqual({ acme: 1 });
    expect(collectPool('default=16', { acme: 1 })).toEqual({ acme: 1, default: 16 });
    expect(collectPool('a=256')).toEqual({ a: 256 });
  });

  test.each(['acme', 'acme=', 'acme=0', 'acme=257', 'acme=1.5', 'acme=1=2', '=1', 'Acme=1', 'a b=1'])(
    'refuses %s',
    (text) => {
      expect(() => collectPool(text)).toThrow(/name=runners/);
    },
  );

  test('refuses a pool that is named twice', () => {
    expect(() => collectPool('acme=2', { acme: 1 })).toThrow(/twice/);
  });
});
