import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ensureSampleTenants } from '../../embedded/sample-data.ts';
import { constantAnswer } from '../support/bad-models.ts';
import { sluiceBeside } from '../support/command-line.ts';
import { echoText } from '../support/echo-models.ts';
import { withManifest } from '../support/push-model.ts';
import { type RunningPlatform, startRunning } from '../support/running-platform.ts';

let running: RunningPlatform;

beforeAll(async () => {
  running = await startRunning({
    models: ['row-sum', 'ticket-sentiment', withManifest(echoText('echo'), { cache: { seconds: 60 } })],
    runners: 1,
  });
  await running.push(withManifest(constantAnswer(7), { name: 'row-sum', mayBeConstant: true }));
  await ensureSampleTenants({ us: running.region() }, running.dataFolder);
});

afterAll(() => running.end());

/** As where `npm start` has run. */
function predict(...args: readonly string[]) {
  return sluiceBeside(running.dataFolder, 'predict', ...args);
}

describe.concurrent('sluice predict', () => {
  test('needs nothing but a text, for a model that takes one', async () => {
    const { code, stdout, stderr } = await predict('ticket-sentiment', '--text', 'Thank you!', '--text', 'Terrible.');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const rows = stdout.split('\n').filter((line) => /^│ +[12] │/.test(line));
    expect(rows).toEqual([
      expect.stringMatching(/Thank you!.*positive.*\[0\.\d+, /),
      expect.stringMatching(/Terrible\..*negative/),
    ]);
    expect(stdout).toMatch(/ticket-sentiment@1 · us · \d+\.\d ms/);
  });

  test('takes inputs by name as JSON, flat or nested as the shape, and a version', async () => {
    const nested = await predict('row-sum', '--input', 'x=[[1,2,3,4],[5,6,7,8]]');
    expect(nested.stdout).toMatch(/│ +1 │ \[10\] │\n.*\n│ +2 │ \[26\] │/);
    const flat = await predict('row-sum', '--input', 'x=[1,2,3,4,5,6,7,8]', '--version', '2', '--json');
    const { outputs, version, took_ms: tookMs } = JSON.parse(flat.stdout) as Record<string, unknown>;
    expect({ outputs, version }).toEqual({
      version: '2',
      outputs: [{ name: 'sum', datatype: 'FP32', shape: [2, 1], data: [7, 7] }],
    });
    expect(tookMs).toBeGreaterThan(0);
  });

  test('takes a request from a file', async () => {
    const file = join(running.dataFolder, 'request.json');
    const inputs = [{ name: 'text', shape: [1], datatype: 'BYTES', data: ['fine'] }];
    await writeFile(file, JSON.stringify({ inputs, outputs: [{ name: 'label' }] }));
    const { stdout } = await predict('ticket-sentiment', '--file', file, '--json');
    expect((JSON.parse(stdout) as { outputs: { name: string }[] }).outputs.map(({ name }) => name)).toEqual(['label']);
  });

  test('says what the cache had to do with it, and shows nothing that a terminal would obey', async () => {
    const ask = async () => (await predict('echo', '--text', 'red \u001b[31malert')).stdout;
    expect(await ask()).toContain('cache miss');
    const again = await ask();
    expect(again).toContain('cache hit');
    expect(again).toContain('red \ufffd[31malert');
  });

  test('prints the id of a prediction that it does not wait for', async () => {
    const { stdout } = await predict('row-sum', '--input', 'x=[[1,2,3,4]]', '--async');
    expect(stdout).toMatch(/^pred_[0-9a-f]{32}\n/);
  });

  test('asks as another tenant, with its own key or as an operator', async () => {
    await running.addTenant('hooli');
    const { url } = running.region();
    const asked = ['row-sum', '--input', 'x=[[1,2,3,4]]', '--url', url, '--tenant'];
    for (const tenant of ['initech', 'hooli']) expect(await predict(...asked, tenant)).toMatchObject({ code: 0 });
    const nobody = await predict(...asked, 'nobody');
    expect(nobody).toMatchObject({ code: 1, stderr: expect.stringContaining('No such tenant (404, tenant-unknown)') });
  });

  test.each([
    ['the server refuses', ['row-sum', '--input', 'x=[[1,2]]'], 'Match the rank and the fixed dimensions'],
    ['cannot be sent', ['row-sum', '--text', 'a'], 'row-sum takes x FP32 [-1, 4]: give them with --input'],
    [
      'no server answers',
      ['row-sum', '--text', 'a', '--url', 'http://127.0.0.1:1'],
      'No answer from http://127.0.0.1:1',
    ],
  ])('says what to do where %s', async (_, args, told) => {
    const { code, stdout, stderr } = await predict(...args);
    expect(stderr).toContain(told);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  });
});
