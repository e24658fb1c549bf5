import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { LocalDataKeys } from '../../adapters/local/data-keys.ts';
import type { Outcome } from '../../core/inference/job.ts';
import type { Tensor } from '../../core/inference/tensor.ts';
import { type Exchange, leaksInAnswers, type MarkedTenant, sendMarked } from '../support/marked-traffic.ts';
import { type Leak, MarkerRun } from '../support/markers.ts';
import { type RunningPlatform, startRunning } from '../support/running-platform.ts';
import { trialModel } from '../support/trial-model.ts';

let running: RunningPlatform | undefined;

afterEach(async () => {
  await running?.end();
  running = undefined;
});

async function start(tenantCount: number): Promise<{ platform: RunningPlatform; tenants: MarkedTenant[] }> {
  const platform = await startRunning({ models: [trialModel()] });
  running = platform;
  const tenants: MarkedTenant[] = [];
  for (let i = 0; i < tenantCount; i += 1) {
    const id = `tenant${i}`;
    tenants.push({ id, client: await platform.addTenant(id) });
  }
  return { platform, tenants };
}

/** Everything that a marker could have got into, but for the answers to who sent it. */
async function search(platform: RunningPlatform, marks: MarkerRun, exchanges: readonly Exchange[]): Promise<Leak[]> {
  const operator = await platform.addKey(undefined, { role: 'admin' });
  const pages = [
    '/v2',
    '/v2/health/live',
    '/v2/health/ready',
    '/openapi.json',
    '/metrics',
    '/control/v1/tenants',
    '/control/v1/plans',
    '/control/v1/models',
    '/control/v1/issuers',
    '/control/v1/operator-keys',
    '/control/v1/tenants/tenant0/usage',
    '/control/v1/tenants/tenant0/keys',
  ];
  const published = await Promise.all(
    pages.map(async (page) => marks.inBytes(page, Buffer.from((await operator.get(page)).bytes))),
  );
  return [
    ...leaksInAnswers(exchanges, marks),
    ...marks.inBytes('log', Buffer.from(platform.logLines.join(''))),
    ...published.flat(),
    ...(await marks.inFolder(platform.dataFolder)),
  ];
}

test('thousands of requests of 20 tenants, mixed: each marker is in its own tenant\u2019s answers and nowhere else', async () => {
  const { platform, tenants } = await start(20);
  const marks = new MarkerRun();
  const exchanges = await sendMarked(tenants, marks, {
    answered: 60,
    accepted: 15,
    'accepted late': 5,
    binary: 15,
    repeated: 8,
    refused: 5,
    'accepted and refused': 2,
    'hung up': 3,
    invalid: 3,
  });
  exchanges.push(...(await sendMarked(tenants.slice(0, 4), marks, { answered: 30, accepted: 5, crashed: 2 })));
  const statuses = exchanges.flatMap(({ answers }) => answers.map(({ status }) => status));
  expect(statuses.length).toBeGreaterThan(2500);
  // All that was meant to happen did: answers, acceptances, refusals by the model and by us, crashes.
  for (const status of [200, 202, 400, 404, 422, 502]) expect(statuses).toContain(status);
  expect(statuses.filter((status) => ![200, 202, 400, 404, 422, 502].includes(status))).toEqual([]);
  expect(await search(platform, marks, exchanges)).toEqual([]);
  // And when all that was in memory has been written down.
  await platform.stop();
  expect(await marks.inFolder(platform.dataFolder)).toEqual([]);
  expect(marks.inBytes('log', Buffer.from(platform.logLines.join('')))).toEqual([]);
}, 120_000);

/** The text that a job carries, or its answer. */
function textOf(tensors: readonly Tensor[]): string {
  return (tensors.find(({ datatype }) => datatype === 'BYTES')?.data as string[] | undefined)?.[0] ?? '';
}

describe('a leak that was planted is found', () => {
  test('a payload in the log', async () => {
    const { platform, tenants } = await start(2);
    const { queue, log } = platform.region().platform;
    const send = queue.send.bind(queue);
    queue.send = (job) => {
      log.debug('sent', { tenant: job.tenant, text: textOf(job.inputs) });
      return send(job);
    };
    const marks = new MarkerRun();
    const leaks = await search(platform, marks, await sendMarked(tenants, marks, { answered: 1 }));
    expect(leaks).toEqual([{ where: 'log', what: 'plain text' }]);
  });

  test('an answer given to the wrong caller', async () => {
    const { platform, tenants } = await start(2);
    const { jobs } = platform.region().platform;
    const finish = jobs.finish.bind(jobs);
    let before: readonly Tensor[] | undefined;
    jobs.finish = (job, outcome) => {
      if (outcome.kind === 'failed') return finish(job, outcome);
      const swapped: Outcome = { ...outcome, outputs: before ?? outcome.outputs };
      before = outcome.outputs;
      return finish(job, swapped);
    };
    const marks = new MarkerRun();
    const leaks = await search(platform, marks, await sendMarked(tenants, marks, { answered: 5 }));
    expect(leaks).toContainEqual(expect.objectContaining({ what: expect.stringMatching(/^marker of tenant[01]$/) }));
    expect(leaks).toContainEqual(expect.objectContaining({ what: 'its own marker is missing' }));
  });

  test.each([
    ['plain text', (text: string) => text],
    ['UTF-16', (text: string) => Buffer.from(text, 'utf16le')],
    ['hex', (text: string) => Buffer.from(text).toString('hex')],
    ['base64', (text: string) => Buffer.from(`?${text}`).toString('base64')],
    ['base64', (text: string) => Buffer.from(`??${text}`).toString('base64')],
  ])('a payload at rest as %s', async (form, encode) => {
    const { platform, tenants } = await start(1);
    const { jobs } = platform.region().platform;
    const create = jobs.create.bind(jobs);
    jobs.create = async (job, expiresAtMs) => {
      await writeFile(join(platform.dataFolder, 'us', 'spill'), encode(textOf(job.inputs)));
      return create(job, expiresAtMs);
    };
    const marks = new MarkerRun();
    const leaks = await search(platform, marks, await sendMarked(tenants, marks, { accepted: 1 }));
    expect(leaks).toEqual([{ where: 'file /us/spill', what: form }]);
  });

  test('a payload in the database', async () => {
    const { platform, tenants } = await start(1);
    vi.spyOn(LocalDataKeys.prototype, 'sealWith').mockImplementation((_key, _tenant, _context, plain) => plain);
    vi.spyOn(LocalDataKeys.prototype, 'openNow').mockImplementation((_tenant, _context, sealed) => Buffer.from(sealed));
    try {
      const marks = new MarkerRun();
      const leaks = await search(platform, marks, await sendMarked(tenants, marks, { accepted: 1 }));
      expect(leaks).toContainEqual({ where: 'file /us/region.db-wal', what: 'plain text' });
    } finally {
      vi.restoreAllMocks();
    }
  });
});
