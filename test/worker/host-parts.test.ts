import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { JsonLog } from '../../adapters/node/json-log.ts';
import { MINUTE_MS, SECOND_MS } from '../../core/units.ts';
import { beat, isHealthy } from '../../gpu-worker/health.ts';
import { loadMetricLine } from '../../gpu-worker/load-metric.ts';
import { repeat } from '../../gpu-worker/repeat.ts';
import { TaskProtection } from '../../gpu-worker/task-protection.ts';
import { aVersion } from '../support/jobs.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { rowJob, startFakeWorker } from '../support/worker-setup.ts';

describe('protection from scale-in', () => {
  type Put = { readonly ProtectionEnabled: boolean; readonly ExpiresInMinutes?: number };

  /** An ECS agent on this machine. */
  async function startAgent(answer: () => { status: number; body: string }) {
    const puts: Put[] = [];
    const server = createServer(async (request, response) => {
      expect(`${request.method} ${request.url}`).toBe('PUT /agent/task-protection/v1/state');
      puts.push(JSON.parse(await text(request)) as Put);
      const { status, body } = answer();
      response.writeHead(status, { 'Content-Type': 'application/json' }).end(body);
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    onTestFinished(() => {
      server.closeAllConnections();
      server.close();
    });
    const clock = new ManualClock();
    const logged: string[] = [];
    const log = new JsonLog({ write: (line) => logged.push(line) }, clock);
    const agentUri = `http://127.0.0.1:${(server.address() as AddressInfo).port}/agent`;
    const protection = new TaskProtection({ clock, log, agentUri });
    const during = async (isBusy: boolean, ms: number) => {
      for (let passed = 0; passed < ms; passed += SECOND_MS) {
        await protection.update(isBusy);
        await clock.advance(SECOND_MS);
      }
    };
    return { puts, logged, during };
  }

  const PROTECTED = { status: 200, body: JSON.stringify({ protection: { ProtectionEnabled: true } }) };

  test('is asked for when work comes, renewed before it ends, and given up after half a minute without any', async () => {
    const { puts, during } = await startAgent(() => PROTECTED);
    await during(false, MINUTE_MS);
    expect(puts).toEqual([]);
    await during(true, 6 * MINUTE_MS);
    expect(puts).toEqual(Array.from({ length: 3 }, () => ({ ProtectionEnabled: true, ExpiresInMinutes: 5 })));
    await during(false, 29 * SECOND_MS);
    expect(puts).toHaveLength(3);
    await during(false, MINUTE_MS);
    expect(puts.slice(3)).toEqual([{ ProtectionEnabled: false }]);
  });

  test('costs two calls for work that comes in waves', async () => {
    const { puts, during } = await startAgent(() => PROTECTED);
    for (let wave = 0; wave < 5; wave += 1) {
      await during(true, SECOND_MS);
      await during(false, 10 * SECOND_MS);
    }
    await during(false, MINUTE_MS);
    expect(puts.map(({ ProtectionEnabled }) => ProtectionEnabled)).toEqual([true, false]);
  });

  test.each([
    { status: 200, body: JSON.stringify({ failure: { Reason: 'DEPLOYMENT_BLOCKED' } }) },
    { status: 500, body: JSON.stringify({ error: { Code: 'ServerException' } }) },
    { status: 502, body: 'no JSON' },
  ])('that is refused ($status $body) is logged and tried again, twice a minute', async (refusal) => {
    const { puts, logged, during } = await startAgent(() => refusal);
    await during(true, MINUTE_MS);
    expect(puts).toHaveLength(2);
    expect(logged).toHaveLength(2);
    expect(logged[0]).toContain('task protection not changed');
  });

  test('is nothing where there is no agent', async () => {
    const clock = new ManualClock();
    const log = new JsonLog({ write: (line) => expect.fail(line) }, clock);
    await new TaskProtection({ clock, log, agentUri: undefined }).update(true);
  });
});

test('what a worker holds and has not started is told in one metric line, by deployment, region and pool alone', () => {
  const line = loadMetricLine({ deployment: 'prod', region: 'us', pool: 'gpu' }, { held: 7, notStarted: 4 }, 1234.5);
  expect(line.endsWith('}\n')).toBe(true);
  const told = JSON.parse(line) as Record<string, unknown>;
  expect(told).toEqual({
    _aws: {
      Timestamp: 1235,
      CloudWatchMetrics: [
        {
          Namespace: 'Sluice',
          Dimensions: [['Deployment', 'Region', 'Pool']],
          Metrics: [{ Name: 'PrefetchedNotStarted', Unit: 'Count', StorageResolution: 1 }],
        },
      ],
    },
    Deployment: 'prod',
    Region: 'us',
    Pool: 'gpu',
    PrefetchedNotStarted: 4,
  });
});

test('a worker tells what it holds, and which of it no runner runs', async () => {
  const single = aVersion({ rowMs: 100, manifest: { batching: { maxRows: 1 } } });
  const { world, runners, worker } = await startFakeWorker({}, (prepared) => prepared.add(single, 'm.onnx'));
  expect(worker.load()).toEqual({ held: 0, notStarted: 0 });
  runners.runMs = () => 300;
  const outcomes = [1, 2, 3].map((value) => world.send(rowJob(value)));
  await vi.waitFor(() => expect(worker.load()).toEqual({ held: 3, notStarted: 2 }));
  await Promise.all(outcomes);
  await vi.waitFor(() => expect(worker.load()).toEqual({ held: 0, notStarted: 0 }));
});

describe('the health of a worker', () => {
  test('is a beat within twenty seconds', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'sluice-test-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    const path = join(folder, 'healthy');
    const nowMs = 1_800_000_000_000;
    expect(await isHealthy(path, nowMs)).toBe(false);
    await beat(path, nowMs);
    expect(await isHealthy(path, nowMs + 20 * SECOND_MS)).toBe(true);
    expect(await isHealthy(path, nowMs + 20 * SECOND_MS + 1)).toBe(false);
    await beat(path, nowMs + MINUTE_MS);
    expect(await isHealthy(path, nowMs + MINUTE_MS)).toBe(true);
  });
});

test('a task that throws is logged and comes again, until it is told to stop', async () => {
  const clock = new ManualClock();
  const logged: string[] = [];
  const stopped = new AbortController();
  let runs = 0;
  const log = new JsonLog({ write: (line) => logged.push(line) }, clock);
  const repeating = repeat({ clock, log }, 'metric', SECOND_MS, stopped.signal, () => {
    runs += 1;
    throw new Error('not now');
  });
  await clock.advance(SECOND_MS);
  await clock.advance(SECOND_MS);
  expect(runs).toBe(3);
  expect(logged[0]).toContain('"task":"metric"');
  stopped.abort();
  await repeating;
});
