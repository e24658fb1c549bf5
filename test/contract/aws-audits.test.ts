import { afterAll, beforeAll, expect, test } from 'vitest';
import { AwsAudits } from '../../adapters/aws/audits.ts';
import { AUDIT_HEAD_KEY, auditKey } from '../../adapters/aws/keys.ts';
import { Table } from '../../adapters/aws/table.ts';
import { verifyChain } from '../../core/audit/verify-chain.ts';
import type { Audits } from '../../core/ports/audits.ts';
import { NO_LOG } from '../support/aws/aws-jobs.ts';
import { clientSubject } from '../support/aws/client-subject.ts';
import { DynamoEmulator } from '../support/aws/dynamo-emulator.ts';
import { SteppedClock } from '../support/aws/stepped-clock.ts';
import { type AuditsSubject, aDraft, describeAuditsContract } from './audits.contract.ts';
import { type Adapter, atOnce, withMore } from './contract.ts';

let dynamo: DynamoEmulator;
beforeAll(async () => {
  dynamo = await DynamoEmulator.start();
});
afterAll(() => dynamo.stop());

const aws: Adapter<Audits, AuditsSubject> = {
  async open() {
    const table = new Table(dynamo.client, await dynamo.createTable());
    const clock = new SteppedClock();
    const recordOf = async (seq: number) => String((await table.get(auditKey(seq)))?.record);
    const put = (seq: number, record: string) => table.put({ ...auditKey(seq), record });
    return withMore(
      clientSubject<Audits>(clock, () => new AwsAudits(table, clock, NO_LOG)),
      {
        async change(seq: number) {
          await put(seq, (await recordOf(seq)).replace('"pro"', '"free"'));
        },
        remove: (seq: number) => table.delete(auditKey(seq)),
        async swap(one: number, other: number) {
          const [first, second] = [await recordOf(one), await recordOf(other)];
          await put(one, second);
          await put(other, first);
        },
        async putHeadBack(seq: number) {
          const { hash, atMs } = JSON.parse(await recordOf(seq)) as { hash: string; atMs: number };
          await table.put({ ...AUDIT_HEAD_KEY, seq, hash, atMs });
        },
      },
    );
  },
};

describeAuditsContract('aws', aws);

test('processes that append at the same time make one chain', async () => {
  const table = new Table(dynamo.client, await dynamo.createTable());
  const clock = new SteppedClock();
  const processes = Array.from({ length: 8 }, () => new AwsAudits(table, clock, NO_LOG));
  const entries = await atOnce(160, (at) => processes[at % 8]!.append(aDraft(clock.nowMs(), { by: `key:${at}` })));
  expect(new Set(entries.map(({ seq }) => seq)).size).toBe(160);
  const audits = new AwsAudits(table, clock, NO_LOG);
  expect(await verifyChain({ audits, clock })).toMatchObject({ ok: true, entries: 160, untilSeq: 160, complete: true });
});

test('a chain is walked and read from its end across its blocks, and one that is gone is missed', async () => {
  const table = new Table(dynamo.client, await dynamo.createTable());
  const clock = new SteppedClock();
  const audits = new AwsAudits(table, clock, NO_LOG);
  // As if 9,998 entries had been written before.
  await table.put({ ...AUDIT_HEAD_KEY, seq: 9998, hash: 'a'.repeat(64), atMs: 1 });
  for (let at = 0; at < 4; at += 1) await audits.append(aDraft(clock.nowMs()));
  expect((await audits.walk(9990, 10)).map(({ seq }) => seq)).toEqual([9999, 10_000, 10_001, 10_002]);
  expect((await audits.newest(undefined, 10_002, 10)).map(({ seq }) => seq)).toEqual([10_001, 10_000, 9999]);
  await table.delete(auditKey(9999));
  expect((await audits.walk(9990, 10)).map(({ seq }) => seq)).toEqual([10_000, 10_001, 10_002]);
});
