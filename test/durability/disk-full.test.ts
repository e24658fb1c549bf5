import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { MIB, SECOND_MS } from '../../core/units.ts';
import { slowModel } from '../support/bad-models.ts';
import type { Infer, Operation, Told } from '../support/durability/history.ts';
import { SLOW_FROM } from '../support/durability/known-model.ts';
import { perform } from '../support/durability/perform.ts';
import { openRegionUnderTest, type RegionUnderTest } from '../support/durability/region-under-test.ts';
import { StoryClock } from '../support/durability/story-clock.ts';
import { firstOutput, fourOf } from '../support/http-client.ts';
import { expectProblem } from '../support/problems.ts';
import { pushModel } from '../support/push-model.ts';
import { startRunning } from '../support/running-platform.ts';

describe('a region whose disk is full', () => {
  let folder: string;
  let clock: StoryClock;
  let region: RegionUnderTest;
  let isFull: boolean;

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'sluice-full-'));
    clock = new StoryClock(0);
    isFull = false;
    const reach = (boundary: string) => {
      if (!isFull || boundary !== 'commit:before') return;
      throw Object.assign(new Error('no space left on device'), { code: 'ENOSPC' });
    };
    region = await openRegionUnderTest({ folder, clock, reach });
    await ask({ kind: 'push', model: 'm', term: 5, uploaded: true });
    await ask({ kind: 'create-tenant', tenant: 'acme', plan: 'free', limits: {} });
  });

  afterEach(async () => {
    isFull = false;
    await region.close();
    rmSync(folder, { recursive: true });
  });

  function ask(op: Operation): Promise<Told> {
    return perform(region, op);
  }

  function infer(x: number, changes: Partial<Infer> = {}): Promise<Told> {
    const style = { style: 'async', key: undefined, version: undefined, timeoutMs: undefined } as const;
    return ask({ kind: 'infer', tenant: 'acme', model: 'm', x, rows: 1, ...style, ...changes });
  }

  function jobOf(told: Told): string {
    if (!('job' in told) || told.job === undefined) throw new Error(JSON.stringify(told));
    return told.job;
  }

  function readUntilEnded(job: string): Promise<Told> {
    return vi.waitFor(
      async () => {
        const told = await ask({ kind: 'read', tenant: 'acme', job });
        expect(told.is, JSON.stringify(told)).toBe('answered');
        return told;
      },
      { timeout: 10_000 },
    );
  }

  async function inFlight(): Promise<number> {
    return (await region.platform.limits.usage('acme', clock.nowMs())).inFlight;
  }

  const refused = { is: 'refused', code: 'storage-unavailable' };

  test('refuses what it would have to keep, answers what it need not, and has what it had', async () => {
    const before = await readUntilEnded(jobOf(await infer(1)));
    const sync = await infer(2, { style: 'sync' });
    isFull = true;
    expect(await infer(3)).toMatchObject(refused);
    expect(await infer(4, { style: 'sync', key: 'k' })).toMatchObject(refused);
    expect(await ask({ kind: 'create-tenant', tenant: 'more', plan: 'free', limits: {} })).toMatchObject(refused);
    expect(await ask({ kind: 'create-key', tenant: 'acme' })).toMatchObject(refused);
    expect(await ask({ kind: 'push', model: 'm', term: 6, uploaded: false })).toMatchObject(refused);
    expect(await ask({ kind: 'push', model: 'm', term: 6, uploaded: true })).toMatchObject(refused);
    expect(await infer(5, { style: 'sync' })).toMatchObject({ is: 'answered', values: [3 * 5 + 5] });
    expect(await ask({ kind: 'read', tenant: 'acme', job: jobOf(before) })).toEqual(before);
    expect(sync).toMatchObject({ is: 'answered', values: [3 * 2 + 5] });
  });

  test('takes it all again once there is room, as if it had not been asked before', async () => {
    isFull = true;
    for (let x = 0; x < 30; x += 1) expect(await infer(x)).toMatchObject(refused);
    expect(await infer(4, { key: 'k' })).toMatchObject(refused);
    expect(await ask({ kind: 'create-tenant', tenant: 'more', plan: 'free', limits: {} })).toMatchObject(refused);
    expect(await ask({ kind: 'push', model: 'm', term: 6, uploaded: true })).toMatchObject(refused);
    isFull = false;
    // Refused thirty times, on a plan of ten in flight: none of them has kept a place.
    expect(await inFlight()).toBe(0);
    expect(await readUntilEnded(jobOf(await infer(7, { key: 'k' })))).toMatchObject({ values: [3 * 7 + 5] });
    expect(await ask({ kind: 'create-tenant', tenant: 'more', plan: 'free', limits: {} })).toMatchObject({
      is: 'done',
    });
    expect(await ask({ kind: 'push', model: 'm', term: 6, uploaded: true })).toMatchObject({ facts: { version: '2' } });
    expect(await inFlight()).toBe(0);
  });

  test('ends what it had accepted with the one right outcome, though the first could not be written', async () => {
    const jobs = [];
    for (let i = 0; i < 3; i += 1) jobs.push(jobOf(await infer(SLOW_FROM + i)));
    isFull = true;
    // Longer than the runs take.
    await delay(300);
    for (const job of jobs) expect(await ask({ kind: 'read', tenant: 'acme', job })).toMatchObject({ is: 'accepted' });
    isFull = false;
    // What could not be written comes again when its visibility ends.
    clock.jump(31 * SECOND_MS);
    for (const [i, job] of jobs.entries()) {
      expect(await readUntilEnded(job)).toMatchObject({ values: [3 * (SLOW_FROM + i) + 5] });
    }
    await vi.waitFor(async () => expect(await inFlight()).toBe(0));
  });
});

/** A disk of its own for a test, where this user may mount one. */
function mountSmallDisk(sizeBytes: number): string | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-disk-'));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${sizeBytes}`, 'tmpfs', folder], { stdio: 'ignore' });
    return folder;
  } catch {
    rmSync(folder, { recursive: true });
    return undefined;
  }
}

function unmount(folder: string): void {
  execFileSync('umount', [folder]);
  rmSync(folder, { recursive: true });
}

test('the whole platform on a disk that fills up: clear refusals, then as before', async (context) => {
  const disk = mountSmallDisk(16 * MIB);
  if (disk === undefined) return context.skip('this user may not mount a file system');
  const running = await startRunning({ dataFolder: disk, models: ['row-sum'], runners: 1 });
  try {
    const acme = await running.addTenant('acme');
    const operator = await running.addKey(undefined);
    const headers = { prefer: 'respond-async' };
    const kept = (await acme.infer('row-sum', fourOf(1), { headers })).header('location')!;
    expect(firstOutput(await acme.result(kept))).toEqual([4]);
    const created = await operator.post('/control/v1/uploads', { max_bytes: MIB });
    const { url } = created.json<{ url: string }>();
    const filler = join(disk, 'filler');
    const { bavail, bsize } = statfsSync(disk);
    writeFileSync(filler, Buffer.alloc(bavail * bsize));
    const answers = [];
    // The log has room that it made before: at some point there is no more.
    for (let i = 0; i < 200 && answers.at(-1)?.status !== 503; i += 1) {
      answers.push(await acme.infer('row-sum', fourOf(i), { headers }));
    }
    expectProblem(answers.at(-1)!, 'storage-unavailable');
    const bytes = Buffer.alloc(MIB, 'model');
    expectProblem(await operator.send('PUT', url, { body: bytes }), 'storage-unavailable');
    expect(firstOutput(await acme.infer('row-sum', fourOf(2)))).toEqual([8]);
    expect(firstOutput(await acme.get(kept))).toEqual([4]);
    rmSync(filler);
    expect((await operator.send('PUT', url, { body: bytes })).status).toBe(200);
    const again = await acme.infer('row-sum', fourOf(3), { headers });
    expect(firstOutput(await acme.result(again.header('location')!)), again.text).toEqual([12]);
    expect((await pushModel(operator, slowModel())).status).toBe(200);
  } finally {
    rmSync(join(disk, 'filler'), { force: true });
    await running.stop();
    unmount(disk);
  }
});
