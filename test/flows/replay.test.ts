import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { replayJson } from '../../core/api/replay-json.ts';
import { setCaptureConsent } from '../../core/tenancy/capture-consent.ts';
import { constantAnswer, crashOnMinusOne } from '../support/bad-models.ts';
import { sluice } from '../support/command-line.ts';
import { echoText } from '../support/echo-models.ts';
import { type ApiClient, texts } from '../support/http-client.ts';
import { MarkerRun } from '../support/markers.ts';
import { expectProblem } from '../support/problems.ts';
import { withManifest } from '../support/push-model.ts';
import { type RunningPlatform, startRunning } from '../support/running-platform.ts';

const CAPTURED = { capture: { share: 1 } };

let running: RunningPlatform;
let operator: ApiClient;

beforeAll(async () => {
  running = await startRunning({ models: ['row-sum', withManifest(echoText('echo'), CAPTURED)], runners: 1 });
  // A second version with another answer, and one with the first's.
  await running.push(withManifest(constantAnswer(7), { name: 'row-sum', mayBeConstant: true, ...CAPTURED }));
  await running.push(withManifest(echoText('echo'), { ...CAPTURED, description: 'the same again' }));
  operator = await running.addKey(undefined);
});

afterAll(() => running.end());

const replay = (model: string, body: object, caller = operator) =>
  caller.post(`/control/v1/models/${model}/replays`, body);

async function capturedEchoes(tenant: string, ...data: readonly string[]): Promise<void> {
  const client = await running.addTenant(tenant);
  const { platform } = running.region();
  await setCaptureConsent(platform, { id: 'key:test', tenant }, tenant, true);
  for (const text of data) await client.infer('echo', texts('text', text));
  await vi.waitFor(async () => {
    const found = await platform.captures.list('echo', 1000, platform.clock.nowMs(), tenant);
    expect(found).toHaveLength(data.length);
  });
}

describe('a replay over HTTP', () => {
  test('of golden pairs tells two versions apart, and one from itself not', async () => {
    const same = replayJson.parse((await replay('row-sum', { from: '1', to: '1' })).json());
    expect(same.compared).toBeGreaterThan(1);
    expect(same).toMatchObject({ agree: same.inputs, differ: 0, stopped: null, differing: [] });
    expect(same.from.p50_ms).toBeGreaterThan(0);
    const other = replayJson.parse((await replay('row-sum', { from: '1', to: '2', limit: 1 })).json());
    expect(other).toMatchObject({ source: 'golden', inputs: 1, compared: 1, to: { model: 'row-sum', version: '2' } });
    expect(other.differ).toBeGreaterThan(0);
    expect(other.outputs).toEqual([expect.objectContaining({ kind: 'numbers', name: 'sum', incomparable: 0 })]);
  });

  test('of captured predictions shows their ids and nothing of them', async () => {
    const marks = new MarkerRun();
    await capturedEchoes('acme', marks.next('acme'), marks.next('acme'));
    await capturedEchoes('globex', marks.next('globex'));
    const all = await replay('echo', { from: '1', to: '2', source: 'captured' });
    expect(all.json()).toMatchObject({ inputs: 3, agree: 3, outputs: [{ kind: 'labels', labels: 3, changed: 0 }] });
    const ones = await replay('echo', { from: '1', to: '2', source: 'captured', tenant: 'globex' });
    expect(ones.json()).toMatchObject({ inputs: 1, agree: 1 });
    for (const answer of [all, ones]) expect(marks.inBytes('answer', Buffer.from(answer.bytes))).toEqual([]);
    expect(marks.inBytes('log', Buffer.from(running.logLines.join('')))).toEqual([]);
  });

  test('is for operators, and says what it cannot compare', async () => {
    const tenant = await running.addTenant('nosy');
    expectProblem(await replay('row-sum', { from: '1', to: '2' }, tenant), 'forbidden', { required_role: 'operator' });
    expectProblem(await replay('none', { from: '1', to: '2' }), 'model-unknown');
    expectProblem(await replay('row-sum', { from: '1', to: '9' }), 'version-unknown', { field: 'to' });
    expectProblem(await replay('echo', { from: '1', to: '2' }), 'request-invalid', { field: 'source' });
    expectProblem(await replay('row-sum', { from: '1', to: '1', to_model: 'echo' }), 'request-invalid', {
      field: 'to',
    });
    for (const limit of [0, 1001]) {
      expectProblem(await replay('row-sum', { from: '1', to: '2', limit }), 'request-invalid', { field: 'limit' });
    }
    expectProblem(await replay('row-sum', { from: '1', to: '2', sample: 1 }), 'field-unknown');
  });

  test('survives a version that ends its process', async () => {
    const crashing = withManifest(crashOnMinusOne(), { inputs: { n: { min: 1, max: 9 } } });
    await running.push(crashing);
    const pairs = [2, -1, 4].map((n) =>
      JSON.stringify({
        inputs: [{ name: 'n', shape: [1], datatype: 'INT64', data: [n] }],
        outputs: [{ name: 'y', shape: [1], datatype: 'FP32', data: [-(2 ** 63) / n] }],
      }),
    );
    const { registry, artifacts } = running.region().platform;
    const { digest: goldenDigest } = await artifacts.store(bytesOf(pairs.join('\n')));
    // As if its manifest had let the input through, which validation refuses.
    const found = await registry.readVersion(crashing.manifest.name, '1');
    const { version: _, ...record } = { ...found!, goldenDigest, digest: 'c'.repeat(64) };
    await registry.addVersion({ ...record, manifest: { ...record.manifest, inputs: {} } });
    const answer = await replay(crashing.manifest.name, { from: '2', to: '2' });
    expect(answer.json()).toMatchObject({
      inputs: 3,
      agree: 2,
      both_failed: 1,
      from: { crashed: 1 },
      to: { crashed: 1 },
    });
  });

  test('runs alone: a second one at the same time is told when to come again', async () => {
    const answers = await Promise.all([1, 2].map(() => replay('row-sum', { from: '1', to: '2' })));
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 503]);
    expectProblem(answers.find(({ status }) => status === 503)!, 'overloaded', { retry_after_s: 20 });
  });
});

describe('sluice model replay', () => {
  const command = (...args: string[]) => sluice(['model', 'replay', ...args], operator);

  test('prints what differs as tables and exits with 1, or says that all agree and exits with 0', async () => {
    const differing = await command('row-sum', '1', '2', '--limit', '1');
    expect(differing.stdout).toContain('row-sum@2');
    expect(differing.stdout).toContain('1 of 1 compared');
    expect(differing.stdout).toMatch(/differ: .*pair 1/);
    expect(differing.code).toBe(1);
    const agreeing = await command('row-sum', '1', 'row-sum@1');
    expect(agreeing.stdout).toContain('All agree.');
    expect(agreeing.code).toBe(0);
  });

  test('replays captured predictions of one tenant, and says so where there are none', async () => {
    await running.addTenant('initech');
    const nothing = await command('row-sum', '1', '2', '--captured', '--tenant', 'initech');
    expect(nothing).toMatchObject({ code: 1, stdout: expect.stringContaining('nothing to replay') });
    await capturedEchoes('umbrella', 'one');
    const { code, stdout } = await command('echo', '1', '2', '--captured', '--tenant', 'umbrella', '--json');
    expect(replayJson.parse(JSON.parse(stdout))).toMatchObject({ inputs: 1, agree: 1 });
    expect(code).toBe(0);
  });

  test('says what is wrong with its arguments', async () => {
    const refused = await command('row-sum', '1', '9');
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining('No such version of this model') });
    expect((await command('row-sum', '1', '2', '--limit', 'many')).stderr).toContain('not a whole number above 0');
  });
});

async function* bytesOf(text: string): AsyncGenerator<Uint8Array> {
  yield new TextEncoder().encode(text);
}
