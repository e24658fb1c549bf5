import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { LocalDataKeys } from '../../adapters/local/data-keys.ts';
import { migrate, openDatabase } from '../../adapters/local/database.ts';
import { LocalFeedbacks } from '../../adapters/local/feedbacks.ts';
import { Commits } from '../../adapters/local/group-commit.ts';
import { loadRegionKey } from '../../adapters/local/region-key.ts';
import { REGION_MIGRATIONS } from '../../adapters/local/schema.ts';
import { DAY_MS } from '../../core/units.ts';
import { aKeptPrediction } from '../support/kept-predictions.ts';
import { type LocalPlatform, openLocalPlatform } from '../support/local-platform.ts';

let platform: LocalPlatform;

beforeEach(async () => {
  platform = await openLocalPlatform();
});

afterEach(() => platform.close());

const EVER = { model: 'm', version: '1', fromMs: 0, untilMs: 1e15 };
const given = (atMs: number, label: string) => ({ labels: [label], knownAtMs: undefined, atMs });

test('no file holds a label or who asked in the clear, nor the log', async () => {
  const [answered, truth, asker] = ['the-patient-reports-chest-pain', 'it-was-the-stomach', 'user:jane-doe'];
  const { feedbacks } = platform.ports;
  const nowMs = platform.clock.nowMs();
  const rows = [{ label: answered, confidence: 0.5 }];
  const prediction = aKeptPrediction(nowMs, { rows, principal: asker });
  await feedbacks.keep([prediction]);
  await feedbacks.give(prediction, given(nowMs, truth));
  const inClear = () =>
    readdirSync(platform.folder).filter((name) => {
      const bytes = /db/.test(name) ? readFileSync(join(platform.folder, name)) : Buffer.alloc(0);
      return [answered, truth, asker].some((text) => bytes.includes(text));
    });
  expect(inClear()).toEqual([]);
  await platform.reopen();
  expect(inClear()).toEqual([]);
  expect(platform.logged.join()).not.toMatch(/chest-pain|stomach|jane/);
});

test('what was sealed under a destroyed key is gone, silently; what comes next is counted anew', async () => {
  const { feedbacks, dataKeys } = platform.ports;
  const nowMs = platform.clock.nowMs();
  const [before, after] = [aKeptPrediction(nowMs), aKeptPrediction(nowMs)];
  await feedbacks.keep([before]);
  await feedbacks.give(before, given(nowMs, 'good'));
  await dataKeys.destroy('acme');
  expect(await feedbacks.read('acme', before.id, nowMs)).toBeUndefined();
  expect(await feedbacks.tallies('acme', EVER)).toEqual([]);
  await feedbacks.keep([after]);
  await feedbacks.give(after, given(nowMs, 'good'));
  expect((await feedbacks.tallies('acme', EVER)).map(({ tally }) => tally.count)).toEqual([1]);
  expect(platform.logged).toEqual([]);
});

test('tallies are forgotten after 400 days', async () => {
  const { feedbacks } = platform.ports;
  const nowMs = platform.clock.nowMs();
  const prediction = aKeptPrediction(nowMs);
  await feedbacks.keep([prediction]);
  await feedbacks.give(prediction, given(nowMs, 'good'));
  const dayMs = Math.floor(nowMs / DAY_MS) * DAY_MS;
  expect(await feedbacks.purge(dayMs + 400 * DAY_MS - 1)).toBe(1);
  expect(await feedbacks.tallies('acme', EVER)).toHaveLength(1);
  expect(await feedbacks.purge(dayMs + 400 * DAY_MS)).toBe(1);
  expect(await feedbacks.tallies('acme', EVER)).toEqual([]);
});

test('of each tenant and model the newest are kept within the bound, and all of the others', async () => {
  const folder = join(platform.folder, 'bounded');
  const database = openDatabase(`${folder}.db`, 'exclusive');
  migrate(database, REGION_MIGRATIONS);
  const commits = new Commits(database);
  const dataKeys = new LocalDataKeys(database, commits, await loadRegionKey(platform.folder, true));
  const { clock, log } = platform;
  const feedbacks = new LocalFeedbacks({ database, commits, dataKeys, clock, log }, 5);
  const nowMs = clock.nowMs();
  const keep = (id: string, changes: { tenant?: string; model?: string } = {}) =>
    feedbacks.keep([aKeptPrediction(nowMs, { id, ...changes })]);
  await keep('of globex', { tenant: 'globex' });
  await keep('of n', { model: 'n' });
  for (let at = 0; at < 8; at += 1) await keep(`a${at}`);
  const found = async (tenant: string, ...ids: string[]) =>
    (await Promise.all(ids.map((id) => feedbacks.read(tenant, id, nowMs)))).map((read) => read !== undefined);
  expect(await found('acme', 'a0', 'a1', 'a2', 'a3', 'a4', 'a7', 'of n')).toEqual([
    false,
    false,
    false,
    true,
    true,
    true,
    true,
  ]);
  expect(await found('globex', 'of globex')).toEqual([true]);
  await feedbacks.erase('acme');
  expect(database.prepare('SELECT tenant, predictions FROM kept_prediction_total').all()).toEqual([
    { tenant: 'globex', predictions: 1 },
  ]);
  commits.close();
});
