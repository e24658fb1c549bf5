import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, onTestFinished, test } from 'vitest';
import { openLocalPlatform } from '../support/local-platform.ts';
import { aStart } from '../support/release-start.ts';
import { failureCodeOf } from './contract.ts';
import { localPort } from './local-adapters.ts';
import { describeReleasesContract } from './releases.contract.ts';

describeReleasesContract('local', localPort('releases'));

test('a damaged release is told of, affects no other, and holds its model for nobody', async () => {
  const platform = await openLocalPlatform();
  onTestFinished(() => platform.close());
  const nowMs = platform.clock.nowMs();
  const [bad, good] = [aStart(nowMs), aStart(nowMs, { model: 'n' })];
  for (const { release, audits } of [bad, good]) await platform.ports.releases.start(release, audits);
  await platform.ports.close();
  const database = new DatabaseSync(join(platform.folder, 'region.db'));
  database
    .prepare('UPDATE release SET record = replace(record, \'"epoch"\', \'"epic"\') WHERE id = ?')
    .run(bad.release.id);
  database.close();
  await platform.start();
  const { releases } = platform.ports;
  expect(await failureCodeOf(releases.read(bad.release.id))).toBe('record-damaged');
  expect(await failureCodeOf(releases.readLatest('m'))).toBe('record-damaged');
  expect(await releases.listOpen()).toEqual([good.release]);
  expect(platform.logged.join()).toContain(bad.release.id);
  const next = aStart(nowMs);
  await releases.start(next.release, next.audits);
  expect(await releases.readLatest('m')).toEqual(next.release);
  expect((await releases.list('m', 10)).items).toEqual([next.release]);
});
