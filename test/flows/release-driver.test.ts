import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ReleaseAuditJson, ReleaseStartedJson } from '../../core/api/release-json.ts';
import { isActive, type Release } from '../../core/release/release.ts';
import { constantAnswer, crashOnCue, crashOnMinusOne, type ModelFiles } from '../support/bad-models.ts';
import { type Answer, type ApiClient, fourOf, int64s, type JsonTensor } from '../support/http-client.ts';
import { withManifest } from '../support/push-model.ts';
import { type RunningPlatform, startRunning } from '../support/running-platform.ts';

const HOLD = { seconds: 6, minRequests: 20, escalateAfterS: 600 };
const PLAN = {
  assignBy: 'request',
  steps: [{ shadow: 50, hold: HOLD }, { setWeight: 50, hold: HOLD }, { setWeight: 100 }],
  watch: { seconds: 2 },
};
/** A step takes its hold and a window; traffic stops with its end. */
const LIMIT_MS = 90_000;
const ROUND = 10;

let running: RunningPlatform;
let acme: ApiClient;
let operator: ApiClient;

beforeAll(async () => {
  running = await startRunning({
    models: [
      ...twins('twin'),
      ...twins('left'),
      withManifest(crashOnCue(), { name: 'fragile' }),
      withManifest(crashOnMinusOne(), { name: 'fragile' }),
    ],
    runners: 2,
  });
  acme = await running.addTenant('acme');
  operator = await running.addKey(undefined);
}, 60_000);

afterAll(() => running.end());

/** Two versions of one answer; limits of their own make them two. */
function twins(name: string): ModelFiles[] {
  return [10_000, 10_001].map((timeoutMs) => withManifest(constantAnswer(5), { name, mayBeConstant: true, timeoutMs }));
}

async function start(model: string, plan: object = PLAN): Promise<string> {
  const body = { version: '2', plan, reason: 'it is better' };
  const answer = await operator.post(`/control/v1/models/${model}/releases`, body);
  expect(answer.status, answer.text).toBe(202);
  return answer.json<ReleaseStartedJson>().id;
}

async function read(id: string): Promise<Release> {
  return (await running.region().platform.releases.read(id))!;
}

/** Asks until the release is as it should be. */
async function askUntil(
  id: string,
  inputs: JsonTensor[],
  isThere: (release: Release) => boolean,
): Promise<{ release: Release; answers: readonly Answer[] }> {
  const { model } = await read(id);
  const answers: Answer[] = [];
  const endMs = performance.now() + LIMIT_MS;
  for (;;) {
    const release = await read(id);
    if (isThere(release)) return { release, answers };
    if (performance.now() > endMs) throw new Error(`still ${JSON.stringify([release.state, release.verdict])}`);
    answers.push(...(await Promise.all(Array.from({ length: ROUND }, () => acme.infer(model, inputs)))));
    await delay(100);
  }
}

async function auditsOf(id: string): Promise<readonly ReleaseAuditJson[]> {
  return (await operator.get(`/control/v1/releases/${id}/audits`)).json<{ items: ReleaseAuditJson[] }>().items;
}

async function stableOf(model: string): Promise<string | undefined> {
  return (await running.region().platform.registry.readRoute(model))?.stable;
}

describe('a release on one machine', { timeout: LIMIT_MS + 10_000 }, () => {
  test('of a version that is no worse goes step by step to everybody and is stable then, with no error', async () => {
    const id = await start('twin');
    const { release, answers } = await askUntil(id, fourOf(1), (now) => !isActive(now));
    expect(release.state, JSON.stringify(release.verdict)).toMatchObject({ kind: 'promoted' });
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    const versions = answers.map((answer) => answer.header('sluice-model-version'));
    expect(versions[0]).toBe('1');
    expect(versions.at(-1)).toBe('2');
    await expect.poll(() => stableOf('twin')).toBe('2');
    const whats = (await auditsOf(id)).map(({ what }) => what).filter((what) => /began|promoted/.test(what));
    expect(whats).toEqual(['step 1 began', 'step 2 began', 'step 3 began', 'promoted']);
  });

  test('of a version that kills its runners is rolled back for that, and no caller sees an error', async () => {
    const steps = [{ setWeight: 50, hold: HOLD }, { setWeight: 100 }];
    const id = await start('fragile', { ...PLAN, steps });
    const { release, answers } = await askUntil(id, int64s('n', -1), (now) => !isActive(now));
    expect(release.state).toMatchObject({ kind: 'rolled-back', to: '1', why: expect.stringContaining('crashed') });
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    expect(await stableOf('fragile')).toBe('1');
    const last = (await auditsOf(id)).at(-1);
    expect(last).toMatchObject({ by: 'sluice', what: 'rolled back' });
  });

  test('ends with an abort, within two seconds for everybody', async () => {
    const steps = [{ setWeight: 50, hold: { ...HOLD, seconds: 600 } }, { setWeight: 100 }];
    const id = await start('left', { ...PLAN, steps });
    const versions = new Set<string | undefined>();
    await askUntil(id, fourOf(1), ({ state }) => state.kind === 'stepping');
    await expect
      .poll(async () => versions.add((await acme.infer('left', fourOf(1))).header('sluice-model-version')).size, {
        timeout: 5000,
      })
      .toBe(2);
    const answer = await operator.post(`/control/v1/releases/${id}/verbs`, { verb: 'abort', reason: 'enough' });
    expect(answer.status, answer.text).toBe(200);
    await delay(2000);
    const after = await Promise.all(Array.from({ length: 40 }, () => acme.infer('left', fourOf(1))));
    expect(new Set(after.map((each) => each.header('sluice-model-version')))).toEqual(new Set(['1']));
    expect(await stableOf('left')).toBe('1');
    expect(await running.region().platform.releases.listOpen()).toEqual([]);
  });
});
