import { readdirSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { Readable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { sweep } from '../../core/inference/sweep.ts';
import { DAY_MS, SECOND_MS } from '../../core/units.ts';
import { NO_LOG } from '../support/aws/aws-jobs.ts';
import { aJob, aVersion } from '../support/jobs.ts';
import { type LocalPlatform, openLocalPlatform } from '../support/local-platform.ts';
import { aValidationRecord } from '../support/validation-records.ts';

let platform: LocalPlatform;

beforeEach(async () => {
  platform = await openLocalPlatform();
});

afterEach(() => platform.close());

describe('a region that was killed', () => {
  it('gives no quota back, though it was opened and closed since without that tenant asking', async () => {
    const policy = { ratePerMs: 0.05, burst: 100 };
    const lease = (units: number) =>
      platform.ports.limits.lease('acme', 'requests', policy, 1, units, platform.clock.nowMs());
    // Half a burst is granted without asking the disk.
    expect((await lease(50)).granted).toBe(50);
    await platform.crash();
    await platform.reopen();
    expect((await lease(100)).granted).toBeLessThanOrEqual(50);
  });

  it('sends again what a worker had begun while its message was not on the disk yet', async () => {
    const job = aJob({ deadlineMs: platform.clock.nowMs() + DAY_MS });
    const durable = { ...job, durable: true };
    const waiting = platform.ports.jobs.wait(job, platform.clock.nowMs() + SECOND_MS);
    await platform.ports.queue.send(job);
    await platform.ports.queue.receive('default', 'interactive', 1, 0, SECOND_MS);
    await platform.ports.jobs.create(durable, platform.clock.nowMs() + DAY_MS);
    await platform.ports.jobs.begin(job);
    await platform.crash();
    await waiting;
    await platform.clock.advance(1);
    await sweep({ ...platform.ports, log: NO_LOG }, platform.clock.nowMs(), platform.clock.nowMs());
    const [delivery] = await platform.ports.queue.receive('default', 'interactive', 1, 0, SECOND_MS);
    expect(delivery?.job).toEqual(durable);
  });

  it('keeps the files of versions and of open validations, and those of nobody for a day', async () => {
    const day = 24 * 3600;
    const store = async (text: string, ageS: number) => {
      const { digest } = await platform.ports.artifacts.store(Readable.from([Buffer.from(text)]));
      const writtenS = Date.now() / 1000 - ageS;
      utimesSync(join(platform.folder, 'artifacts', digest), writtenS, writtenS);
      return digest;
    };
    const [served, golden, awaited] = [await store('a', 9 * day), await store('b', 9 * day), await store('c', 9 * day)];
    const [refused, left, recent] = [
      await store('d', 9 * day),
      await store('e', 1.1 * day),
      await store('f', 0.9 * day),
    ];
    const { registry, validations } = platform.ports;
    const nowMs = platform.clock.nowMs();
    await registry.addVersion({ ...aVersion(), modelDigest: served, goldenDigest: golden });
    await validations.add(aValidationRecord(nowMs, { modelDigest: refused }));
    const taken = (await validations.take(nowMs, nowMs + SECOND_MS))!;
    await validations.update({ ...taken, state: { kind: 'refused', code: 'model-invalid', facts: {} } });
    await validations.add(aValidationRecord(nowMs, { modelDigest: awaited }));
    await platform.reopen();
    const there = readdirSync(join(platform.folder, 'artifacts'));
    expect(there.sort()).toEqual([served, golden, awaited, recent].sort());
    expect(there).not.toContain(left);
  });

  it('keeps no file of an upload that is no more', async () => {
    const { uploads } = platform.ports;
    const { id, url } = await uploads.create('key:1', 100);
    const token = new URL(url, 'http://host').searchParams.get('token') ?? '';
    await uploads.receive(id, token, Readable.from([Buffer.from('bytes')]));
    const files = () => readdirSync(join(platform.folder, 'uploads'));
    expect(files()).toEqual([id]);
    // As if the kill had come after the row was deleted and before its file was.
    await platform.ports.close();
    const database = new DatabaseSync(join(platform.folder, 'region.db'));
    database.exec('DELETE FROM upload');
    database.close();
    await platform.start();
    expect(files()).toEqual([]);
  });
});
