import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Failure } from '../../core/failure.ts';
import type { Tensor } from '../../core/inference/tensor.ts';
import { acceptPush, readValidation } from '../../core/models/push.ts';
import type { Check } from '../../core/models/report.ts';
import { refusalOf, type ValidationRecord } from '../../core/models/validation-record.ts';
import type { SandboxedModel, SandboxRun } from '../../core/ports/sandbox.ts';
import { override } from '../support/fault.ts';
import { ROW_SIGNATURE } from '../support/jobs.ts';
import { aPush, type Files, PushWorld } from '../support/push-world.ts';

const LEASE_MS = 15_000;

let world: PushWorld;

beforeEach(async () => {
  world = await PushWorld.open();
});

afterEach(() => world.close());

async function accept(manifest: object = { name: 'm' }, files: Files = {}): Promise<ValidationRecord> {
  const accepted = await acceptPush(world.ports, aPush(manifest, files));
  if (accepted.kind !== 'validating') throw new Error(accepted.kind);
  return accepted.record;
}

const read = ({ id, model }: ValidationRecord) => readValidation(world.ports, model, id);

function aCheck(check: Check['check']): Check {
  return { check, outcome: 'passed', detail: 'fine', tookMs: 1 };
}

describe('a validator', () => {
  test('takes pushes in order until there are none', async () => {
    const pushed = [await accept(), await accept({ name: 'm' }, { model: 'other' })];
    expect((await world.runNext())?.id).toBe(pushed[0]!.id);
    expect((await world.runNext())?.id).toBe(pushed[1]!.id);
    expect(await world.runNext()).toBeUndefined();
    expect((await world.versions()).map(({ version }) => version)).toEqual(['1', '2']);
    expect((await read(pushed[1]!)).state).toEqual({ kind: 'accepted', version: '2' });
  });

  test('gives what was pushed to be looked at: the file, the golden pairs, the tokenizer, the price', async () => {
    const tokenizer = { encode: () => [1, 2] };
    world.changes = { tokenizers: { open: async () => tokenizer, isOpen: () => true } };
    const record = await accept({ name: 'm', tokenizer: { ids: 'x' } }, { tokenizer: '{"a":1}' });
    await world.runNext();
    const [subject] = world.subjects;
    expect(subject).toMatchObject({ manifest: { name: 'm' }, usdPerComputeHour: 1, tokenizer });
    expect(subject!.golden).toHaveLength(1);
    const [version] = await world.versions();
    expect(version).toMatchObject({
      goldenDigest: record.goldenDigest,
      tokenizerDigest: createHash('sha256').update('{"a":1}').digest('hex'),
      modelDigest: createHash('sha256').update('model bytes').digest('hex'),
      pushedAtMs: record.createdAtMs,
    });
    for (const digest of [version!.goldenDigest!, version!.tokenizerDigest!]) {
      expect(await world.ports.artifacts.has(digest)).toBe(true);
    }
  });

  test('stores what a repair made of the file, and has the rest thrown away', async () => {
    const path = join(world.local.folder, 'repaired');
    await writeFile(path, 'repaired bytes');
    const discard = vi.fn(async () => {});
    world.repaired = { path, repairs: ['mended'], summary: '', discard };
    const record = await accept();
    await world.runNext();
    const [version] = await world.versions();
    expect(version!.modelDigest).toBe(createHash('sha256').update('repaired bytes').digest('hex'));
    expect(version!.modelBytes).toBe('repaired bytes'.length);
    expect(await world.ports.artifacts.has(version!.modelDigest)).toBe(true);
    expect(discard).toHaveBeenCalledOnce();
    // The same push is still the same version.
    expect(version!.digest).toBe(record.digest);
    expect((await world.push({ name: 'm' })).added).toBe(false);
  });

  test('keeps why it refused a push, with what it had found', async () => {
    const checks = [aCheck('file'), aCheck('loads')];
    world.look = async (_ports, _subject, onProgress) => {
      onProgress?.(checks, 'comparing');
      throw new Failure('golden-mismatch', { detail: 'far off', pair: 3 });
    };
    const record = await accept();
    await world.runNext();
    const refused = await read(record);
    expect(refused).toMatchObject({ checks, state: { code: 'golden-mismatch', facts: { pair: 3 } } });
    expect(refusalOf(refused)?.message).toBe('far off');
    expect(await world.versions()).toEqual([]);
  });

  test('refuses a fallback that cannot answer for the model', async () => {
    await world.push({ name: 'other' });
    world.signature = { ...ROW_SIGNATURE, inputs: [{ name: 'z', datatype: 'INT64', shape: ['batch'] }] };
    const record = await accept({ name: 'm', fallback: { model: 'other' } });
    await world.runNext();
    expect((await read(record)).state).toMatchObject({ kind: 'refused', code: 'manifest-invalid' });
    expect(await world.versions()).toEqual([]);
  });

  test('refuses a reference that tells of inputs which the model does not have', async () => {
    const reference = '{"inputs":{"colour":{"rows":3},"x":{"rows":3}}}';
    const pushed = world.push({ name: 'm' }, { reference });
    await expect(pushed).rejects.toMatchObject({
      code: 'reference-invalid',
      facts: { problems: [expect.stringMatching(/^inputs\.colour: /)] },
    });
    expect(await world.versions()).toEqual([]);
  });

  test('refuses what is missing in the store, at once', async () => {
    const record = await accept();
    world.changes = {
      artifacts: override(world.ports.artifacts, { fetch: () => Promise.reject(new Failure('artifact-missing')) }),
    };
    await world.runNext();
    expect((await read(record)).state).toMatchObject({ kind: 'refused', code: 'artifact-missing' });
  });
});

describe('progress', () => {
  test('is seen while the model is looked at, and written at most four times a second', async () => {
    const record = await accept();
    let writes = 0;
    const { validations } = world.ports;
    world.changes = {
      validations: override(validations, {
        update(written) {
          writes += 1;
          return validations.update(written);
        },
      }),
    };
    const seen: ValidationRecord[] = [];
    world.look = async (_ports, _subject, onProgress) => {
      for (let at = 0; at < 90; at += 1) {
        onProgress?.(at < 45 ? [aCheck('file')] : [aCheck('file'), aCheck('loads')], `step ${at}`);
        await delay(10);
        if (at % 30 === 29) seen.push(await read(record));
      }
    };
    await world.runNext();
    expect(seen.at(-1)).toMatchObject({ state: { kind: 'running' }, progress: expect.stringMatching(/^step \d+$/) });
    expect(seen.at(-1)!.checks.length).toBe(2);
    // Of about a second: four on the way, one before the version is added and one after.
    expect(writes).toBeGreaterThanOrEqual(4);
    expect(writes).toBeLessThanOrEqual(12);
  });

  test('keeps the lease as long as the model is looked at', async () => {
    const record = await accept();
    world.look = async () => {
      const { state } = await read(record);
      // Just before the lease is over; it is looked after every quarter of a second.
      world.clock.jump(LEASE_MS - 2000);
      await vi.waitFor(async () => {
        const now = (await read(record)).state;
        if (now.kind !== 'running' || state.kind !== 'running') throw new Error(now.kind);
        expect(now.leaseUntilMs).toBeGreaterThan(state.leaseUntilMs + LEASE_MS / 2);
      });
      world.clock.jump(3000);
      expect(await world.ports.validations.take(world.clock.nowMs(), world.clock.nowMs() + LEASE_MS)).toBeUndefined();
    };
    await world.runNext();
    expect((await read(record)).state.kind).toBe('accepted');
  });
});

describe('a push whose validator', () => {
  /** Takes a record as a validator that dies at once. */
  const takeAndDie = async () => {
    const taken = await world.ports.validations.take(world.clock.nowMs(), world.clock.nowMs() + LEASE_MS);
    world.clock.jump(LEASE_MS + 1);
    return taken;
  };

  test('died is validated by the next one', async () => {
    const record = await accept();
    expect((await takeAndDie())?.id).toBe(record.id);
    await world.runNext();
    expect((await read(record)).state).toEqual({ kind: 'accepted', version: '1' });
  });

  test('died three times is refused, without being tried again', async () => {
    const record = await accept();
    for (let died = 0; died < 3; died += 1) await takeAndDie();
    await world.runNext();
    expect((await read(record)).state).toMatchObject({ kind: 'refused', code: 'validation-failed' });
    expect(world.subjects).toEqual([]);
    // Pushed again it is another push.
    expect((await world.push({ name: 'm' })).added).toBe(true);
  });

  test('died after it had added the version is accepted with that version', async () => {
    const { validations, registry } = world.ports;
    const dead = new Error('killed');
    let isDead = false;
    world.changes = {
      registry: override(registry, {
        async addVersion(version) {
          await registry.addVersion(version);
          isDead = true;
          throw dead;
        },
      }),
      validations: override(validations, {
        update: (written) => (isDead ? Promise.reject(dead) : validations.update(written)),
      }),
    };
    const record = await accept();
    await expect(world.runNext()).rejects.toBe(dead);
    expect(await world.stableOf()).toBeUndefined();
    world.changes = {};
    world.clock.jump(LEASE_MS + 1);
    await world.runNext();
    expect((await read(record)).state).toEqual({ kind: 'accepted', version: '1' });
    expect((await world.versions()).length).toBe(1);
    expect(world.subjects.length).toBe(1);
    expect(await world.stableOf()).toBe('1');
  });

  test('lost it to another one writes nothing more and adds nothing', async () => {
    const record = await accept();
    let resume = () => {};
    const begun = new Promise<void>((begin) => {
      world.look = () => {
        begin();
        return new Promise<void>((resolve) => {
          resume = resolve;
        });
      };
    });
    const slow = world.runNext();
    await begun;
    world.clock.jump(LEASE_MS + 1);
    const other = await world.ports.validations.take(world.clock.nowMs(), world.clock.nowMs() + LEASE_MS);
    expect(other?.id).toBe(record.id);
    resume();
    await slow;
    expect(await read(record)).toEqual(other);
    expect(await world.versions()).toEqual([]);
  });

  test('cannot reach its storage for a while is tried again, and refused when that goes on', async () => {
    const record = await accept();
    world.look = () => Promise.reject(new Failure('storage-unavailable'));
    for (let attempt = 1; attempt <= 3; attempt += 1) {
      await world.runNext();
      expect((await read(record)).state).toMatchObject({ kind: 'running', attempts: attempt });
      expect(await world.runNext()).toBeUndefined();
      world.clock.jump(2001);
    }
    await world.runNext();
    expect((await read(record)).state).toMatchObject({ kind: 'refused', code: 'validation-failed' });
  });

  test('is stopped is left as if nothing had been tried, its model killed', async () => {
    const record = await accept();
    const stopped = new AbortController();
    const model = endlessModel();
    world.changes = { sandbox: { load: async () => ({ kind: 'loaded', model }) } };
    world.look = async ({ sandbox }) => {
      const load = await sandbox.load('path', { memoryBytes: 1, loadMs: 1 });
      if (load.kind !== 'loaded') throw new Error(load.kind);
      setTimeout(() => stopped.abort(new Error('stopped')), 10);
      const ran = await load.model.run([], 60_000);
      expect(ran.kind).toBe('crashed');
      await expect(sandbox.load('path', { memoryBytes: 1, loadMs: 1 })).rejects.toThrow('stopped');
      throw new Failure('model-crashes');
    };
    await world.runNext(stopped.signal);
    expect(await read(record)).toMatchObject({ state: { kind: 'queued' }, checks: [] });
    world.look = async () => {};
    await world.runNext();
    expect((await read(record)).state.kind).toBe('accepted');
  });

  test('is stopped while a model loads does not wait for it', async () => {
    await accept();
    const stopped = new AbortController();
    const closed = Promise.withResolvers<void>();
    const late = Promise.withResolvers<SandboxedModel>();
    world.changes = { sandbox: { load: async () => ({ kind: 'loaded', model: await late.promise }) } };
    world.look = ({ sandbox }) => {
      setTimeout(() => stopped.abort(new Error('stopped')), 10);
      return sandbox.load('path', { memoryBytes: 1, loadMs: 1 });
    };
    expect((await world.runNext(stopped.signal))?.state.kind).toBe('queued');
    late.resolve({ ...endlessModel(), close: async () => closed.resolve() });
    await closed.promise;
  });
});

/** Runs until it is closed. */
function endlessModel(): SandboxedModel {
  const ended = Promise.withResolvers<SandboxRun>();
  return {
    signature: ROW_SIGNATURE,
    loadMs: 1,
    run: (_inputs: readonly Tensor[]) => ended.promise,
    peakBytes: () => 1,
    close: async () => ended.resolve({ kind: 'crashed', computeMs: 1 }),
  };
}
