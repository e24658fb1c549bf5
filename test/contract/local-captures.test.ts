import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { LocalCaptures } from '../../adapters/local/captures.ts';
import { LocalDataKeys } from '../../adapters/local/data-keys.ts';
import { migrate, openDatabase } from '../../adapters/local/database.ts';
import { Commits } from '../../adapters/local/group-commit.ts';
import { loadRegionKey } from '../../adapters/local/region-key.ts';
import { REGION_MIGRATIONS } from '../../adapters/local/schema.ts';
import { MOST_LISTED_BYTES } from '../../core/inference/capture.ts';
import type { Tensor } from '../../core/inference/tensor.ts';
import { KIB, MIB } from '../../core/units.ts';
import { aCapture } from '../support/captures.ts';
import { type LocalPlatform, openLocalPlatform } from '../support/local-platform.ts';

let platform: LocalPlatform;

beforeEach(async () => {
  platform = await openLocalPlatform();
});

afterEach(() => platform.close());

const idsOf = (captures: readonly { readonly id: string }[]) => captures.map(({ id }) => id);
const bytesOf = (size: number) => [
  { name: 'x', datatype: 'UINT8', shape: [size], data: new Uint8Array(size) } as const,
];

test('no file holds what was captured in the clear, nor the log', async () => {
  const text = 'the-patient-reports-chest-pain';
  const marked: Tensor[] = [{ name: 'text', datatype: 'BYTES', shape: [1], data: [text] }];
  const nowMs = platform.clock.nowMs();
  await platform.ports.captures.write(aCapture(nowMs, { inputs: marked, outputs: marked }));
  const inClear = () =>
    readdirSync(platform.folder).filter(
      (name) => /db/.test(name) && readFileSync(join(platform.folder, name)).includes(text),
    );
  expect(inClear()).toEqual([]);
  await platform.reopen();
  expect(inClear()).toEqual([]);
  expect(platform.logged.join()).not.toContain(text);
});

test('what was sealed under a key that is destroyed is left out of a list, silently; what was damaged, with a line in the log', async () => {
  const nowMs = platform.clock.nowMs();
  for (const [at, tenant] of ['acme', 'globex', 'initech'].entries())
    await platform.ports.captures.write(aCapture(nowMs - at, { id: tenant, tenant }));
  await platform.ports.dataKeys.destroy('acme');
  expect(idsOf(await platform.ports.captures.list('m', 10, nowMs))).toEqual(['globex', 'initech']);
  expect(platform.logged).toEqual([]);
  await platform.ports.close();
  const database = new DatabaseSync(join(platform.folder, 'region.db'));
  // As if somebody had given one tenant's capture to another prediction.
  database.exec("UPDATE capture SET id = 'another' WHERE id = 'globex'");
  database.close();
  await platform.start();
  expect(idsOf(await platform.ports.captures.list('m', 10, nowMs))).toEqual(['initech']);
  expect(platform.logged.filter((line) => line.includes('record-damaged'))).toHaveLength(1);
});

test('a list ends before its payload would be more than 64 MiB', async () => {
  const nowMs = platform.clock.nowMs();
  const size = MOST_LISTED_BYTES / 4;
  for (let at = 0; at < 4; at += 1)
    await platform.ports.captures.write(aCapture(nowMs + at, { inputs: bytesOf(size) }));
  expect(await platform.ports.captures.list('m', 10, nowMs)).toHaveLength(3);
});

test('the bytes of a tenant and model are bounded too, and one that is larger alone is not kept at all', async () => {
  const folder = join(platform.folder, 'bounded');
  const database = openDatabase(`${folder}.db`, 'exclusive');
  migrate(database, REGION_MIGRATIONS);
  const commits = new Commits(database);
  const dataKeys = new LocalDataKeys(database, commits, await loadRegionKey(platform.folder, true));
  const { clock, log } = platform;
  const captures = new LocalCaptures({ database, commits, dataKeys, clock, log }, { captures: 100, bytes: MIB });
  const nowMs = clock.nowMs();
  const list = async () => idsOf(await captures.list('m', 10, nowMs));
  // What is around each of them makes a little more than a quarter.
  for (const at of [0, 1, 2, 3])
    await captures.write(aCapture(nowMs + at, { id: `a${at}`, inputs: bytesOf(256 * KIB) }));
  expect(await list()).toEqual(['a3', 'a2', 'a1']);
  await captures.write(aCapture(nowMs + 4, { id: 'a4', inputs: bytesOf(600 * KIB) }));
  expect(await list()).toEqual(['a4', 'a3']);
  await captures.write(aCapture(nowMs + 5, { id: 'a5', inputs: bytesOf(MIB) }));
  expect(await list()).toEqual(['a4', 'a3']);
  await captures.erase('acme');
  expect(database.prepare('SELECT count(*) AS rows FROM capture_total').get()).toEqual({ rows: 0 });
  commits.close();
});
