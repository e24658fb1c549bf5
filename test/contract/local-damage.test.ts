import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { openRegion } from '../../adapters/local/open-region.ts';
import { REGION_MIGRATIONS } from '../../adapters/local/schema.ts';
import type { Job } from '../../core/inference/job.ts';
import { DEFAULT_PLANS } from '../../core/tenancy/plan.ts';
import { DAY_MS, SECOND_MS } from '../../core/units.ts';
import { aJob } from '../support/jobs.ts';
import { type LocalPlatform, openLocalPlatform, TEST_REGION } from '../support/local-platform.ts';
import { failureCodeOf } from './contract.ts';

let platform: LocalPlatform;

beforeEach(async () => {
  platform = await openLocalPlatform();
});

afterEach(() => platform.close());

async function sendDurable(...jobs: Job[]): Promise<void> {
  for (const job of jobs) {
    await platform.ports.jobs.create(job, platform.clock.nowMs() + DAY_MS);
    await platform.ports.queue.send(job);
    await platform.ports.jobs.markQueued(job.tenant, job.id);
  }
}

/** Changes the database as a bad disk would: while nobody has it open. */
async function whileClosed(change: (database: DatabaseSync) => void): Promise<void> {
  await platform.ports.close();
  const database = new DatabaseSync(join(platform.folder, 'region.db'));
  change(database);
  database.close();
  await platform.start();
}

function receive() {
  return platform.ports.queue.receive('default', 'interactive', 10, 0, 30 * SECOND_MS);
}

describe('a damaged region', () => {
  it('ends a job whose stored inputs were tampered with, says so, and goes on with the rest', async () => {
    const [bad, good] = [aJob({ durable: true }), aJob({ durable: true })];
    await sendDurable(bad, good);
    await whileClosed((database) => {
      const flip =
        'UPDATE job_payload SET sealed = CAST(substr(sealed, 1, 40) || zeroblob(1) || substr(sealed, 42) AS BLOB) WHERE id = ?';
      database.prepare(flip).run(bad.id);
    });
    const { jobs } = platform.ports;
    const wait = jobs.wait({ tenant: bad.tenant, id: bad.id }, platform.clock.nowMs() + SECOND_MS);
    expect((await receive()).map(({ job }) => job)).toEqual([good]);
    expect(await wait).toMatchObject({ kind: 'failed', code: 'record-damaged' });
    expect(platform.logged.join()).toContain(bad.id);
    expect(await failureCodeOf(jobs.read(bad.tenant, bad.id, platform.clock.nowMs()))).toBe('record-damaged');
    expect(await jobs.begin(bad)).toEqual({ kind: 'ended' });
    expect((await jobs.read(good.tenant, good.id, platform.clock.nowMs()))?.state.kind).toBe('queued');
    await platform.reopen();
    expect((await receive()).map(({ job }) => job.id)).toEqual([good.id]);
  });

  it('leaves a damaged job out of what the sweeper sends again', async () => {
    const [bad, good] = [aJob({ durable: true }), aJob({ durable: true })];
    for (const job of [bad, good]) await platform.ports.jobs.create(job, platform.clock.nowMs() + DAY_MS);
    await whileClosed((database) => database.prepare('DELETE FROM job_payload WHERE id = ?').run(bad.id));
    await platform.clock.advance(SECOND_MS);
    const unsent = () => platform.ports.jobs.listUnsent(platform.clock.nowMs(), 10);
    expect(await unsent()).toEqual([good]);
    expect(await unsent()).toEqual([good]);
  });

  it('throws record-damaged for the records that are, and reads and lists the others', async () => {
    const { registry } = platform.ports;
    const plan = { id: 'free', epoch: 1, limits: DEFAULT_PLANS[0]!.limits };
    await registry.writePlan(plan);
    await registry.writePlan({ ...plan, id: 'other' });
    await whileClosed((database) =>
      database.exec("UPDATE plan SET record = replace(record, '\"weight\"', '\"wait\"') WHERE id = 'free'"),
    );
    expect(await failureCodeOf(platform.ports.registry.readPlan('free'))).toBe('record-damaged');
    expect((await platform.ports.registry.listPlans()).map(({ id }) => id)).toEqual(['other']);
    await platform.ports.registry.writePlan({ ...plan, epoch: 2 });
    expect(await platform.ports.registry.readPlan('free')).toEqual({ ...plan, epoch: 2 });
  });

  it('does not start with another key than the one its payloads are sealed under', async () => {
    await sendDurable(aJob({ durable: true }));
    await platform.ports.close();
    rmSync(join(platform.folder, 'region.key'));
    await expect(platform.start()).rejects.toThrow('region.key');
    writeFileSync(join(platform.folder, 'region.key'), 'not a key');
    await expect(platform.start()).rejects.toThrow('is not a region key');
    writeFileSync(join(platform.folder, 'region.key'), `${'00'.repeat(32)}\n`);
    await platform.start();
    expect(await receive()).toEqual([]);
    await vi.waitFor(() => expect(platform.logged.join()).toContain('record-damaged'));
  });

  it('does not start on a schema of a newer release', async () => {
    await platform.ports.close();
    const database = new DatabaseSync(join(platform.folder, 'region.db'));
    database.exec('PRAGMA user_version = 1000');
    database.close();
    await expect(platform.start()).rejects.toThrow('newer release');
    const mended = new DatabaseSync(join(platform.folder, 'region.db'));
    mended.exec(`PRAGMA user_version = ${REGION_MIGRATIONS.length}`);
    mended.close();
    await platform.start();
  });
});

describe('a region that is open', () => {
  it('cannot be opened a second time, until it is closed', async () => {
    const { clock, log } = platform;
    const again = openRegion({ dataFolder: join(platform.folder, '..'), region: TEST_REGION, clock, log });
    expect(await failureCodeOf(again)).toBe('storage-unavailable');
    await platform.reopen();
  });
});
