import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createAuditMeasure } from '../../../core/operations/measure-audit.ts';
import { measureDeadLetters } from '../../../core/operations/measure-dead-letters.ts';
import { HOUR_MS } from '../../../core/units.ts';
import { aDraft } from '../../contract/audits.contract.ts';
import { aLetter } from '../../contract/dead-letters.contract.ts';
import { aJob } from '../../support/jobs.ts';
import { type LocalPlatform, openLocalPlatform } from '../../support/local-platform.ts';

let platform: LocalPlatform;
beforeEach(async () => {
  platform = await openLocalPlatform();
});
afterEach(() => platform.close());

const hostOf = () => ({ audits: platform.ports.audits, clock: platform.clock, log: platform.log });

async function tamper(sql: string): Promise<void> {
  await platform.ports.close();
  const database = new DatabaseSync(join(platform.folder, 'region.db'));
  database.exec(sql);
  database.close();
  await platform.start();
}

test('an end that was cut off with its head is found against the head of the minute before', async () => {
  const measure = createAuditMeasure();
  const value = async () => (await measure(hostOf(), platform.clock.nowMs()))[0]!.value;
  expect(await value()).toBe(0);
  for (let at = 0; at < 5; at += 1) await platform.ports.audits.append(aDraft(at));
  expect(await value()).toBe(0);
  await tamper(`DELETE FROM audit WHERE seq > 3;
    UPDATE audit_head SET seq = 3, hash = (SELECT json_extract(record, '$.hash') FROM audit WHERE seq = 3)`);
  expect(await value()).toBe(1);
  // Another process knows of no head: the chain itself is sound.
  expect((await createAuditMeasure()(hostOf(), platform.clock.nowMs()))[0]!.value).toBe(0);
  expect(platform.logged.join()).toContain('the audit log is broken');
});

test('the head is logged once an hour', async () => {
  const measure = createAuditMeasure();
  await platform.ports.audits.append(aDraft(1));
  for (let minutes = 0; minutes < 3; minutes += 1) await measure(hostOf(), minutes * 60_000);
  const heads = () => platform.logged.filter((line) => line.includes('head of the audit log')).length;
  expect(heads()).toBe(1);
  await measure(hostOf(), HOUR_MS);
  expect(heads()).toBe(2);
});

test('dead letters are counted for every lane, none too', async () => {
  const job = aJob({ durable: true });
  const { deadLetters } = platform.ports;
  const config = { pools: ['default', 'gpu'] } as never;
  await deadLetters.add(aLetter(job, platform.clock.nowMs()), job);
  const measures = await measureDeadLetters({ config, deadLetters }, platform.clock.nowMs());
  expect(measures.map(({ of, value }) => `${of.pool}/${of.lane} ${value}`)).toEqual([
    'default/interactive 1',
    'default/bulk 0',
    'gpu/interactive 0',
    'gpu/bulk 0',
  ]);
});
