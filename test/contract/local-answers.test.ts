import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { AnswerRows } from '../../adapters/local/answer-rows.ts';
import { REGION_MIGRATIONS } from '../../adapters/local/schema.ts';
import { AnswerMemory, TENANT_SHARE } from '../../core/inference/answer-memory.ts';
import type { StoredAnswer } from '../../core/ports/answer-store.ts';
import { MINUTE_MS, SECOND_MS } from '../../core/units.ts';
import { type LocalPlatform, openLocalPlatform } from '../support/local-platform.ts';

const MARKER = 'the-patient-reports-chest-pain';
const KEY = 'f0'.repeat(32);

let platform: LocalPlatform;
/** True: no commit succeeds. */
let isDiskBroken: boolean;

beforeEach(async () => {
  isDiskBroken = false;
  platform = await openLocalPlatform({
    onBoundary(name) {
      if (isDiskBroken && name === 'commit:before') throw new Error('no space left');
    },
  });
});

afterEach(() => platform.close());

const textAnswer = (text: string, expiresAtMs: number): StoredAnswer => ({
  version: '1',
  outputs: [{ name: 'label', datatype: 'BYTES', shape: [1], data: [text] }],
  expiresAtMs,
});

const inAMinute = () => platform.clock.nowMs() + MINUTE_MS;
const write = (tenant: string, key: string, text = MARKER) =>
  platform.ports.answers.write(tenant, key, textAnswer(text, inAMinute()));
const read = async (tenant: string, key: string) =>
  (await platform.ports.answers.read(tenant, key, platform.clock.nowMs()))?.outputs[0]?.data;
const errors = () => platform.logged.filter((line) => line.includes('"error"'));

/** Looks at the database, or changes it, while nobody has it open: what is in memory is gone then. */
async function whileClosed<T>(look: (database: DatabaseSync) => T): Promise<T> {
  await platform.ports.close();
  const database = new DatabaseSync(join(platform.folder, 'region.db'));
  const seen = look(database);
  database.close();
  await platform.start();
  return seen;
}

/** Tenant and id of the rows. */
const rows = () => whileClosed((database) => database.prepare('SELECT tenant, id FROM answer').all());

describe('answers at rest', () => {
  it('are sealed, and their rows do not tell what was asked', async () => {
    write('acme', KEY);
    await platform.reopen();
    for (const name of readdirSync(platform.folder, { recursive: true, encoding: 'utf8' })) {
      const path = join(platform.folder, name);
      if (!statSync(path).isFile()) continue;
      expect(readFileSync(path).includes(MARKER)).toBe(false);
      expect(readFileSync(path).includes(KEY)).toBe(false);
    }
    expect(await rows()).toHaveLength(1);
    expect(await read('acme', KEY)).toEqual([MARKER]);
  });

  it('open for nobody once the data key was destroyed, whatever else happens', async () => {
    write('acme', KEY);
    await platform.reopen();
    await platform.ports.dataKeys.destroy('acme');
    await platform.reopen();
    expect(await read('acme', KEY)).toBeUndefined();
    expect(await rows()).toHaveLength(1);
  });

  it.each<[string, (database: DatabaseSync) => void]>([
    ['a flipped bit', (database) => changeSealed(database, (sealed) => sealed.with(40, sealed[40]! ^ 1))],
    ['bytes that were cut off', (database) => changeSealed(database, (sealed) => sealed.subarray(0, 3))],
    ["another tenant's row", (database) => database.exec("UPDATE answer SET tenant = 'globex'")],
  ])('are as if they were not there after damage, until the next are kept: %s', async (_, damage) => {
    write('acme', KEY);
    await whileClosed(damage);
    for (const tenant of ['acme', 'globex']) expect(await read(tenant, KEY)).toBeUndefined();
    write('acme', KEY, 'again');
    await platform.reopen();
    expect(await read('acme', KEY)).toEqual(['again']);
  });

  it("are no other request's, and live no longer than they were sealed for, whatever their rows say", async () => {
    write('acme', 'k1', 'one');
    write('acme', 'k2', 'two');
    await whileClosed((database) => {
      const [first, second] = database.prepare('SELECT id FROM answer').all() as [{ id: string }, { id: string }];
      const rename = database.prepare('UPDATE answer SET id = ? WHERE id = ?');
      for (const [to, from] of [['x', first.id], [first.id, second.id], [second.id, 'x']] as const) rename.run(to, from); // biome-ignore format: three steps
    });
    for (const key of ['k1', 'k2']) expect(await read('acme', key)).toBeUndefined();
    expect(errors()).toHaveLength(1);
    write('acme', 'k3');
    await whileClosed((database) => database.exec('UPDATE answer SET expires_at_ms = expires_at_ms + 3600000'));
    await platform.clock.advance(MINUTE_MS);
    expect(await read('acme', 'k3')).toBeUndefined();
  });
});

describe('a disk that refuses', () => {
  it('costs the stored answers, not those in memory, and is told of once until it works again', async () => {
    isDiskBroken = true;
    for (const key of ['k1', 'k2']) {
      write('acme', key);
      await platform.clock.advance(SECOND_MS);
      await vi.waitFor(() => expect(errors().length).toBeGreaterThan(0));
    }
    expect(await read('acme', 'k1')).toEqual([MARKER]);
    await vi.waitFor(() => expect(errors()).toHaveLength(1));
    await expect(platform.ports.answers.purge(platform.clock.nowMs())).rejects.toThrow();
    isDiskBroken = false;
    write('acme', 'k3');
    await platform.reopen();
    expect(await read('acme', 'k3')).toEqual([MARKER]);
    expect(await read('acme', 'k1')).toBeUndefined();
  });
});

describe('an erasure', () => {
  it('takes what is about to be stored along', async () => {
    write('acme', 'k1');
    write('globex', 'k1');
    await platform.ports.answers.erase('acme');
    expect(await rows()).toMatchObject([{ tenant: 'globex' }]);
  });
});

/** About what AnswerMemory counts for one of these. */
const ENTRY_BYTES = 2_000;
const LIMIT_BYTES = 64 * ENTRY_BYTES;

describe('memory', () => {
  const kilobyte = textAnswer('x'.repeat(960), 1_000);
  const keep = (memory: AnswerMemory, tenant: string, key: string) => memory.set(tenant, key, kilobyte, 968);

  it('never holds more than its limit, nor of one tenant more than its share', () => {
    const operation = fc.record({
      tenant: fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j'),
      key: fc.nat(40).map(String),
      act: fc.constantFrom('set', 'set', 'set', 'get', 'erase'),
    });
    fc.assert(
      fc.property(fc.array(operation, { minLength: 200, maxLength: 400 }), (operations) => {
        const memory = new AnswerMemory(LIMIT_BYTES);
        const known = new Set<string>();
        for (const { tenant, key, act } of operations) {
          if (act === 'set') keep(memory, tenant, key);
          else if (act === 'get') memory.get(tenant, key, 0);
          else memory.erase(tenant);
          known.add(`${tenant} ${key}`);
          expect(memory.bytes).toBeLessThanOrEqual(LIMIT_BYTES);
        }
        const held = [...known].map((name) => name.split(' ') as [string, string]);
        const found = held.filter(([tenant, key]) => memory.get(tenant, key, 0) !== undefined);
        expect(memory.bytes).toBe(found.length * ENTRY_BYTES);
        for (const tenant of 'abcdefghij') {
          const own = found.filter(([of]) => of === tenant).length;
          expect(own * ENTRY_BYTES).toBeLessThanOrEqual(LIMIT_BYTES * TENANT_SHARE);
        }
      }),
      { numRuns: 50 },
    );
  });

  it("keeps a quiet tenant's answers while another asks for ever new things, and what is used of late", () => {
    const memory = new AnswerMemory(LIMIT_BYTES);
    keep(memory, 'quiet', 'k');
    keep(memory, 'noisy', 'used');
    for (let i = 0; i < 1000; i += 1) {
      keep(memory, 'noisy', String(i));
      memory.get('noisy', 'used', 0);
    }
    expect(memory.get('quiet', 'k', 0)).toBeDefined();
    expect(memory.get('noisy', 'used', 0)).toBeDefined();
    expect(memory.get('noisy', '1', 0)).toBeUndefined();
    expect(memory.get('quiet', 'k', 1_000)).toBeUndefined();
  });
});

describe('the database', () => {
  const ROW_BYTES = 1_000;
  const limit = 64 * ROW_BYTES;

  it('never holds more than its limit, nor of one tenant more than its share; what expires first goes first', () => {
    const database = new DatabaseSync(':memory:');
    for (const migration of REGION_MIGRATIONS) database.exec(migration);
    const stored = new AnswerRows(database, limit);
    const put = (tenant: string, id: number) =>
      stored.put({ tenant, id: String(id), sealed: new Uint8Array(500), expiresAtMs: 1_000 - id });
    for (let id = 0; id < 20; id += 1) put('noisy', id);
    const idsOf = (tenant: string) =>
      (database.prepare('SELECT id FROM answer WHERE tenant = ?').all(tenant) as { id: string }[]).map(({ id }) =>
        Number(id),
      );
    expect(idsOf('noisy').sort((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    for (let tenant = 0; tenant < 20; tenant += 1) for (let id = 30; id < 35; id += 1) put(`t${tenant}`, id);
    const sum = () => (database.prepare('SELECT sum(bytes) AS sum FROM answer').get() as { sum: number }).sum;
    expect(sum()).toBe(limit);
    expect(idsOf('noisy')).toHaveLength(8);
    // Sums made anew are those that were kept.
    stored.count();
    put('noisy', 0);
    expect(sum()).toBe(limit);
    expect(stored.deleteExpired(1_000 - 7, 1)).toBe(1);
    stored.erase('noisy');
    expect(stored.has('noisy')).toBe(false);
    database.close();
  });
});

function changeSealed(database: DatabaseSync, change: (sealed: Uint8Array) => Uint8Array): void {
  const { sealed } = database.prepare('SELECT sealed FROM answer').get() as { sealed: Uint8Array };
  database.prepare('UPDATE answer SET sealed = ?').run(change(sealed));
}
