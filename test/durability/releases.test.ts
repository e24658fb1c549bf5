import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ReleaseAuditJson, ReleaseDetailJson, ReleaseStartedJson } from '../../core/api/release-json.ts';
import { constantAnswer } from '../support/bad-models.ts';
import { killNow, StartedPlatform } from '../support/durability/started-platform.ts';
import { fourOf } from '../support/http-client.ts';
import { pushModel, withManifest } from '../support/push-model.ts';

const HOLD = { seconds: 5, minRequests: 1, escalateAfterS: 600 };
const LIMIT_MS = 60_000;

let platform: StartedPlatform;

beforeAll(async () => {
  platform = await StartedPlatform.create();
  await platform.start();
  for (const model of ['onward', 'back'])
    for (const timeoutMs of [10_000, 10_001]) {
      const twin = withManifest(constantAnswer(5), { name: model, mayBeConstant: true, timeoutMs });
      expect((await pushModel(platform.operator, twin)).status).toBe(200);
    }
}, 120_000);

afterAll(() => platform.end());

async function start(model: string, seconds: number): Promise<string> {
  const steps = [{ setWeight: 50, hold: { ...HOLD, seconds }, analysis: false }, { setWeight: 100 }];
  const plan = { assignBy: 'request', steps, watch: { seconds: 2 } };
  const body = { version: '2', plan, reason: 'it is better' };
  const answer = await platform.operator.post(`/control/v1/models/${model}/releases`, body);
  expect(answer.status, answer.text).toBe(202);
  return answer.json<ReleaseStartedJson>().id;
}

async function read(id: string): Promise<ReleaseDetailJson> {
  return (await platform.operator.get(`/control/v1/releases/${id}`)).json<ReleaseDetailJson>();
}

/** Versions that answered until the release was in that state. */
async function askUntil(id: string, model: string, state: string): Promise<readonly (string | undefined)[]> {
  const versions: (string | undefined)[] = [];
  const endMs = performance.now() + LIMIT_MS;
  while ((await read(id)).state !== state) {
    if (performance.now() > endMs) throw new Error(`still ${JSON.stringify(await read(id))}`);
    versions.push(await ask(model));
    await delay(100);
  }
  return versions;
}

async function ask(model: string): Promise<string | undefined> {
  const answer = await platform.tenant('acme').infer(model, fourOf(1));
  expect(answer.status, answer.text).toBe(200);
  return answer.header('sluice-model-version');
}

async function killAndStart(): Promise<void> {
  const others = platform.descendants();
  await platform.kill(others);
  others.forEach(killNow);
  await platform.start();
}

test('a release that kill -9 cuts off in the middle of a step goes on by itself to its end', async () => {
  const id = await start('onward', HOLD.seconds);
  await askUntil(id, 'onward', 'stepping');
  await delay(1000);
  await killAndStart();
  expect(['stepping', 'scaling']).toContain((await read(id)).state);
  await askUntil(id, 'onward', 'promoted');
  for (let at = 0; at < 20; at += 1) expect(await ask('onward')).toBe('2');
  const page = await platform.operator.get(`/control/v1/releases/${id}/audits`);
  const audits = page.json<{ items: ReleaseAuditJson[] }>().items;
  expect(audits.filter(({ what }) => what === 'promoted')).toHaveLength(1);
  expect(audits.map(({ epoch }) => epoch)).toEqual(audits.map(({ epoch }) => epoch).sort((a, b) => a - b));
}, 90_000);

test('a release that was aborted in the moment before kill -9 is over, and stable answers everybody', async () => {
  const id = await start('back', 600);
  await askUntil(id, 'back', 'stepping');
  const verb = { verb: 'abort', reason: 'enough' };
  const answer = await platform.operator.post(`/control/v1/releases/${id}/verbs`, verb);
  expect(answer.status, answer.text).toBe(200);
  await killAndStart();
  expect((await read(id)).state).toBe('rolled-back');
  for (let at = 0; at < 20; at += 1) expect(await ask('back')).toBe('1');
}, 90_000);
