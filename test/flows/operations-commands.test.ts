import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest';
import type { AuditJson, DeadLetterJson, VerificationJson } from '../../core/api/operations-json.ts';
import { deadLetterId } from '../../core/inference/dead-letter.ts';
import { type CommandResult, sluice } from '../support/command-line.ts';
import type { ApiClient } from '../support/http-client.ts';
import { aJob } from '../support/jobs.ts';
import { type RunningPlatform, startRunning } from '../support/running-platform.ts';

let running: RunningPlatform;
let operator: ApiClient;
let acme: ApiClient;

beforeAll(async () => {
  running = await startRunning({ models: ['row-sum'], runners: 1 });
  operator = await running.addKey(undefined);
  acme = await running.addTenant('acme');
});

afterAll(() => running.end());

const run = (caller: ApiClient, ...args: string[]): Promise<CommandResult> => sluice(args, caller);

async function json<T>(caller: ApiClient, ...args: string[]): Promise<T> {
  const { code, stdout, stderr } = await run(caller, ...args, '--json');
  expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' });
  return JSON.parse(stdout) as T;
}

test('pools are shown with their queues and workers', async () => {
  const { stdout, code } = await run(operator, 'pools');
  expect(code).toBe(0);
  for (const shown of ['default', 'interactive', 'bulk', '0 of 1']) expect(stdout).toContain(shown);
});

test('dead letters are listed, run again and discarded, by a tenant its own', async () => {
  const { deadLetters } = running.region().platform;
  const died = { pool: 'default', lane: 'bulk', reason: 'internal', attempts: 51, redrivable: true } as const;
  for (const digit of ['1', '2']) {
    const id = `pred_${digit.repeat(32)}`;
    const inputs = [{ name: 'x', datatype: 'FP32' as const, shape: [1, 4], data: new Float32Array(4) }];
    const job = aJob({ id, tenant: 'acme', model: 'row-sum', requestedModel: 'row-sum', durable: true, inputs });
    const letter = { id: deadLetterId(id), tenant: 'acme', prediction: id, model: 'row-sum', version: '1' };
    await deadLetters.add({ ...letter, ...died, atMs: Date.now() }, job);
  }
  const shown = await run(operator, 'dead-letters', 'list');
  expect(shown.stdout).toContain('row-sum@1');
  const [first, second] = await json<DeadLetterJson[]>(acme, 'dead-letters', 'list', '--tenant', 'acme');
  const [made] = await json<{ prediction: string }[]>(acme, 'dead-letters', 'redrive', 'acme', first!.id);
  expect((await acme.result(`/v2/predictions/${made!.prediction}`)).status).toBe(200);
  expect((await run(operator, 'dead-letters', 'discard', 'acme', second!.id)).stdout).toContain(second!.id);
  expect((await run(operator, 'dead-letters', 'list')).stdout.trim()).toBe('none');
  const refused = await run(acme, 'dead-letters', 'list');
  expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining('forbidden')]);
});

test('the log of every process is changed for a while', async () => {
  const { logLines } = running;
  const answered = async () => {
    await acme.get('/v2/models');
    return logLines.filter((line) => line.includes('"level":"debug"')).length;
  };
  const set = await run(operator, 'log-level', 'set', 'error', '--minutes', '1');
  expect(set.stdout).toContain('every process logs from error on until');
  expect((await run(operator, 'log-level', 'show')).stdout).toContain('error');
  await vi.waitFor(async () => {
    const before = await answered();
    expect(await answered()).toBe(before);
  }, 15_000);
  await run(operator, 'log-level', 'set', 'debug');
  await vi.waitFor(async () => {
    const before = await answered();
    expect(await answered()).toBeGreaterThan(before);
  }, 15_000);
  expect((await run(operator, 'log-level', 'set', 'loud')).code).toBe(1);
});

test('the audit log is listed and walked, and one that somebody changed in the store is told of with exit code 1', async () => {
  const listed = await run(operator, 'audit', 'list', '--action', 'log-level-put');
  expect(listed.stdout).toContain('debug for 15 minutes');
  const own = await json<AuditJson[]>(acme, 'audit', 'list', '--own', 'acme');
  expect(own.map(({ action }) => action)).toContain('dead-letter-redrive');
  const walked = await run(operator, 'audit', 'verify');
  expect([walked.code, walked.stdout]).toEqual([0, expect.stringContaining('the log holds')]);
  const [, head] = /head: (\S+)/.exec(walked.stdout)!;
  expect(await json<VerificationJson>(operator, 'audit', 'verify', '--known', head!)).toMatchObject({ ok: true });
  await running.stop();
  const database = new DatabaseSync(join(running.dataFolder, 'us', 'region.db'));
  database.exec("UPDATE audit SET record = json_set(record, '$.by', 'somebody else') WHERE seq = 2");
  database.close();
  const again = await startRunning({ dataFolder: running.dataFolder, runners: 1 });
  onTestFinished(() => again.end());
  const broken = await run(operator.at(again.region().url), 'audit', 'verify');
  expect([broken.code, broken.stdout]).toEqual([1, expect.stringContaining('broken at entry 2')]);
});
