import { afterAll, beforeAll, expect, test } from 'vitest';
import { AwsDataKeys } from '../../adapters/aws/data-keys.ts';
import { Table } from '../../adapters/aws/table.ts';
import { type Emulators, startEmulators } from '../support/aws/emulators.ts';
import { ManualClock } from '../support/manual-clock.ts';

let emulators: Emulators;

beforeAll(async () => {
  emulators = await startEmulators();
});

afterAll(() => emulators.stop());

test('a process that has a destroyed key in memory opens what was sealed under the next one', async () => {
  const { dynamo, kms } = emulators;
  const name = await dynamo.createTable();
  const open = () => new AwsDataKeys(new Table(dynamo.client, name), kms.client, 'alias/region', new ManualClock());
  const [handler, worker, control] = [open(), open(), open()];
  const before = await handler.seal('acme', 'job', Buffer.from('before'));
  expect(Buffer.from(await worker.open('acme', 'job', before)).toString()).toBe('before');
  await control.destroy('acme');
  const after = await control.seal('acme', 'job', Buffer.from('after'));
  expect(Buffer.from(await worker.open('acme', 'job', after)).toString()).toBe('after');
  await expect(worker.open('acme', 'job', before)).rejects.toMatchObject({ code: 'data-erased' });
});
