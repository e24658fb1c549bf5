import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Job, Outcome } from '../../core/inference/job.ts';
import { DAY_MS, SECOND_MS } from '../../core/units.ts';
import { aJob } from '../support/jobs.ts';
import { type LocalPlatform, openLocalPlatform } from '../support/local-platform.ts';
import { failureCodeOf } from './contract.ts';

let platform: LocalPlatform;

beforeEach(async () => {
  platform = await openLocalPlatform();
});

afterEach(() => platform.close());

const MARKER = 'the-patient-reports-chest-pain';

function markedJob(): Job {
  return aJob({
    durable: true,
    clientId: `id ${MARKER}`,
    inputs: [{ name: 'text', datatype: 'BYTES', shape: [1], data: [MARKER.repeat(1000)] }],
  });
}

/** Names of the region's files that contain these bytes. */
function filesWith(bytes: Buffer | string): string[] {
  const names = readdirSync(platform.folder, { recursive: true, encoding: 'utf8' });
  return names.filter((name) => {
    const path = join(platform.folder, name);
    return statSync(path).isFile() && readFileSync(path).includes(bytes);
  });
}

async function runToEnd(job: Job): Promise<void> {
  const { jobs, queue } = platform.ports;
  const outcome: Outcome = {
    kind: 'succeeded',
    version: '1',
    outputs: [{ name: 'label', datatype: 'BYTES', shape: [1], data: [MARKER] }],
    computeMs: 1,
    queueMs: 1,
    batchRows: 1,
    endedAtMs: 1,
  };
  await jobs.create(job, platform.clock.nowMs() + DAY_MS);
  await queue.send(job);
  const deliveries = await queue.receive('default', 'interactive', 1, 0, SECOND_MS);
  await jobs.begin(job);
  await jobs.finish(job, outcome);
  await queue.acknowledge(deliveries);
}

describe('a region at rest', () => {
  it('holds no payload in the clear: not in the database, its log, or any other file', async () => {
    await platform.ports.jobs.create(markedJob(), platform.clock.nowMs() + DAY_MS);
    await runToEnd(markedJob());
    const failing = markedJob();
    await platform.ports.jobs.create(failing, platform.clock.nowMs() + DAY_MS);
    const facts = { detail: MARKER };
    await platform.ports.jobs.finish(failing, {
      kind: 'failed',
      code: 'prediction-failed',
      facts,
      computeMs: 0,
      endedAtMs: 1,
    });
    const key = { tenant: 'acme', principal: 'key:1', route: 'infer/m', key: MARKER };
    const nowMs = platform.clock.nowMs();
    await platform.ports.idempotency.claim(
      key,
      { fingerprint: 'f', jobId: 'p', leaseUntilMs: nowMs, expiresAtMs: nowMs + 1 },
      nowMs,
    );
    expect(filesWith(MARKER)).toEqual([]);
    await platform.reopen();
    expect(filesWith(MARKER)).toEqual([]);
    expect(platform.logged.join()).not.toContain(MARKER);
  });

  it('would be found out if it did', async () => {
    await platform.ports.quarantine.add('acme', 'f1', MARKER, platform.clock.nowMs() + 1);
    expect(filesWith(MARKER)).toEqual(['region.db-wal']);
  });

  it('keeps its key, and all that is beside it, from other users of the machine', () => {
    expect(statSync(join(platform.folder, 'region.key')).mode & 0o777).toBe(0o600);
    expect(statSync(platform.folder).mode & 0o777).toBe(0o700);
  });

  it('has no trace of a destroyed key, not in the log either, and nothing of the tenant opens again', async () => {
    const job = markedJob();
    await platform.ports.jobs.create(job, platform.clock.nowMs() + DAY_MS);
    await platform.ports.jobs.create({ ...markedJob(), tenant: 'globex' }, platform.clock.nowMs() + DAY_MS);
    await platform.ports.close();
    const database = new DatabaseSync(join(platform.folder, 'region.db'), { readOnly: true });
    const row = database.prepare("SELECT wrapped FROM data_key WHERE tenant = 'acme'").get() as { wrapped: Uint8Array };
    const wrapped = Buffer.from(row.wrapped);
    database.close();
    await platform.start();
    // As a backlog would: the key's page is written again and again, and lies in the log more than once.
    for (const tenant of ['a', 'b', 'c']) await platform.ports.dataKeys.fingerprint(tenant, Buffer.from('x'));
    expect(filesWith(wrapped)).not.toEqual([]);
    await platform.ports.dataKeys.destroy('acme');
    expect(filesWith(wrapped)).toEqual([]);
    expect(await failureCodeOf(platform.ports.jobs.read('acme', job.id, platform.clock.nowMs()))).toBe('data-erased');
    await platform.crash();
    expect(await failureCodeOf(platform.ports.jobs.read('acme', job.id, platform.clock.nowMs()))).toBe('data-erased');
  });
});
