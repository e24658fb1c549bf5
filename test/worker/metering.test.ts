import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import type { Tensor } from '../../core/inference/tensor.ts';
import { CANARY_TENANT } from '../../core/tenancy/canary.ts';
import { readInstance } from '../../gpu-worker/instance.ts';
import { Ledger } from '../../gpu-worker/ledger.ts';
import { aJob } from '../support/jobs.ts';
import { WorkerWorld } from '../support/worker-ports.ts';
import { rowJob, startFakeWorker } from '../support/worker-setup.ts';

const BAD = 777;
const holds = (inputs: readonly Tensor[], value: number) => Array.from(inputs[0]!.data as Float32Array).includes(value);

/** Uses that the store holds, by tenant. */
function used(world: WorkerWorld) {
  const all = [...world.metered.values()].flatMap(({ uses }) => uses);
  return Object.fromEntries(
    all.map(({ tenant, requests, rows, computeMs }) => [tenant, { requests, rows, computeMs }]),
  );
}

describe('a worker meters', () => {
  test('what it computed for each tenant, what failed too, and that it was there', async () => {
    const { world, runners } = await startFakeWorker();
    runners.onRun = (_, inputs) => (holds(inputs, BAD) ? 'refuses' : 'answers');
    const jobs = Array.from({ length: 10 }, (_, at) => rowJob(at === 3 ? BAD : at, { tenant: `t${at % 2}` }));
    await Promise.all(jobs.map((job) => world.send(job)));
    await vi.waitFor(() => {
      expect(used(world)).toMatchObject({ t0: { requests: 5, rows: 5 }, t1: { requests: 5, rows: 4 } });
    }, 5000);
    const settled = [...world.settled.values()].flat().reduce((sum, ms) => sum + ms, 0);
    const metered = Object.values(used(world)).reduce((sum, { computeMs }) => sum + computeMs, 0);
    expect(metered).toBeCloseTo(settled, 1);
  });

  test('all of it by the time it has drained', async () => {
    const { world, worker } = await startFakeWorker({
      metering: { instanceType: 'g5.xlarge', purchase: 'spot', usdPerHour: 0.4, everyMs: 3_600_000 },
    });
    await Promise.all([1, 2, 3].map((value) => world.send(rowJob(value))));
    await worker.drain(world.clock.nowMs() + 1000);
    expect(Object.values(used(world)).map(({ requests }) => requests)).toEqual([3]);
    const seen = [...world.metered.values()][0]!.worker;
    expect(seen).toMatchObject({
      worker: 'w1',
      pool: 'default',
      instanceType: 'g5.xlarge',
      purchase: 'spot',
      runners: 1,
    });
    expect(seen.upMs).toBeGreaterThan(0);
    expect(seen.busyMs).toBeGreaterThan(0);
    expect(seen.busyMs).toBeLessThanOrEqual(seen.upMs);
  });
});

test.each([
  ['at once', (first: boolean) => first],
  ['later', async (first: boolean) => first],
])(
  'a job is metered once, by whoever ended it first, known %s; copies and checks are the platform\u2019s own',
  async (_, answer) => {
    const world = new WorkerWorld();
    const ports = world.ports();
    const metered: string[] = [];
    const ledger = new Ledger(
      { ...ports, jobs: { ...ports.jobs, finish: (job) => answer(job.id !== 'late') } },
      { offer: () => {} },
      { offer: () => {}, drop: () => {} },
      {
        used: ({ tenant, version, computeMs, rows }) => void metered.push(`${tenant} ${version} ${computeMs} ${rows}`),
      },
    );
    const end = (changes: object) => {
      const job = aJob({ tenant: 'acme', version: '1', ...changes });
      const outcome = { kind: 'failed', code: 'prediction-failed', facts: {}, computeMs: 4, endedAtMs: 1 } as const;
      return { work: { job, delivery: { job, receipt: job.id, receiveCount: 1 } }, outcome };
    };
    const shadow = { kind: 'labels', labels: [] } as const;
    await ledger.end([end({ id: 'first' }), end({ id: 'late' }), end({ id: 'copy', version: '2', shadow })]);
    await ledger.end([end({ id: 'check', tenant: CANARY_TENANT })]);
    expect(metered.sort()).toEqual([' 1 4 0', ' 2 4 0', 'acme 1 4 0']);
  },
);

test('an instance says what it is in a file; one that says something else is not believed', () => {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-test-'));
  const said = (text: string) => {
    const path = join(folder, 'instance.json');
    writeFileSync(path, text);
    return readInstance(path);
  };
  expect(said('{"instanceType":"g5.xlarge","purchase":"spot"}')).toEqual({
    instanceType: 'g5.xlarge',
    purchase: 'spot',
  });
  for (const wrong of ['{"instanceType":"","purchase":"on-demand"}', '{"instanceType":"g5.xlarge","purchase":""}', ''])
    expect(said(wrong)).toBeUndefined();
  expect(readInstance(join(folder, 'nothing'))).toBeUndefined();
});
