import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import type { ReleaseDetailJson, ReleaseStartedJson } from '../../core/api/release-json.ts';
import { constantAnswer } from '../support/bad-models.ts';
import { sluice } from '../support/command-line.ts';
import { type ApiClient, firstOutput, fourOf } from '../support/http-client.ts';
import { withManifest } from '../support/push-model.ts';
import { type RunningPlatform, startRunning } from '../support/running-platform.ts';

/** To everybody as soon as it is warm, and a watch that a person ends. */
const AT_ONCE = { assignBy: 'request', steps: [{ setWeight: 100 }], watch: { seconds: 600 } };
/** Windows are 5 s, and what was recorded then is written at their end. */
const WRITTEN_WITHIN_MS = 15_000;

let running: RunningPlatform;
let operator: ApiClient;
let caller: ApiClient;

beforeAll(async () => {
  const version = (value: number) => withManifest(constantAnswer(value), { name: 'm' });
  running = await startRunning({ models: [version(1), version(2)], runners: 1 });
  operator = await running.addKey(undefined);
  caller = await running.addTenant('acme');
});

afterAll(() => running.end());

const read = async (id: string) => (await operator.get(`/control/v1/releases/${id}`)).json<ReleaseDetailJson>();
const answer = async () => firstOutput(await caller.infer('m', fourOf(1)));
const stable = async () => (await running.region().platform.registry.readRoute('m'))?.stable;

async function verb(id: string, name: string): Promise<ReleaseDetailJson> {
  const given = await operator.post(`/control/v1/releases/${id}/verbs`, { verb: name, reason: 'because' });
  expect(given.status).toBe(200);
  return given.json();
}

async function untilState(id: string, state: ReleaseDetailJson['state']): Promise<void> {
  await vi.waitFor(async () => expect((await read(id)).state).toBe(state), { timeout: 10_000, interval: 50 });
}

test('a release reaches everybody, shows its numbers, is promoted, and is undone in one step', async () => {
  expect(await answer()).toEqual([1]);
  const body = { version: '2', plan: AT_ONCE, reason: 'it is better' };
  const { id } = (await operator.post('/control/v1/models/m/releases', body)).json<ReleaseStartedJson>();
  const watching = sluice(['release', 'watch', 'm'], operator);
  await untilState(id, 'watching');
  expect(await read(id)).toMatchObject({ weight_percent: 100, warm_percent: 100, serving: '1', stable: '1' });
  await expect.poll(answer, { timeout: 2000 }).toEqual([2]);
  // Until some window lies in it as a whole.
  await vi.waitFor(
    async () => {
      expect(await answer()).toEqual([2]);
      const { numbers } = await read(id);
      expect(numbers?.candidate).toMatchObject({ errors: 0, error_rate: 0, crashes: 0 });
      expect(numbers?.candidate.p50_ms).toBeGreaterThan(0);
      expect(numbers?.stable).toMatchObject({ requests: 0, error_rate: null, p50_ms: null });
    },
    { timeout: WRITTEN_WITHIN_MS, interval: 200 },
  );

  expect(await verb(id, 'promote')).toMatchObject({ state: 'promoted', serving: '2', step: null });
  await expect.poll(stable, { timeout: 2000 }).toBe('2');
  const watched = await watching;
  expect(watched.code).toBe(0);
  expect(watched.stdout).toContain('everybody is on version 2, which is watched');
  expect(watched.stdout).toContain('promoted: version 2 answers');

  await verb(id, 'undo');
  await untilState(id, 'rolled-back');
  expect(await read(id)).toMatchObject({ serving: '1', why: 'because' });
  await expect.poll(answer, { timeout: 2000 }).toEqual([1]);
  await expect.poll(stable, { timeout: 2000 }).toBe('1');
}, 60_000);
