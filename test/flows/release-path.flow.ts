import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { Failure } from '../../core/failure.ts';
import type { Telemetry } from '../../core/ports/telemetry.ts';
import { lotOf, type Release } from '../../core/release/release.ts';
import { constantAnswer, type ModelFiles, slowModel } from '../support/bad-models.ts';
import { type Answer, type ApiClient, firstOutput, fourOf, type InferJson, int64s } from '../support/http-client.ts';
import type { PlatformUnderTest, StartPlatform } from '../support/platform-under-test.ts';
import { withManifest } from '../support/push-model.ts';
import { aRelease, rolledBack, shareOf } from '../support/release-traffic.ts';

const USERS = 60;
const HALF = 5000;
const ALL = 10_000;
/** What releases may take to be seen everywhere. */
const SEEN_WITHIN_MS = 2000;
/** Windows are 5 s, and what was recorded then is written at their end. */
const WRITTEN_WITHIN_MS = 20_000;
const LONG = { seconds: 3600, minRequests: 1_000_000, escalateAfterS: 3600 };

/** What releases do to requests, whoever drives them. */
export function describeReleasePath(start: StartPlatform): void {
  let running: PlatformUnderTest;
  let acme: ApiClient;
  let users: readonly ApiClient[];

  beforeAll(async () => {
    // Version 2 says something else than version 1, but for `same`.
    running = await start({
      models: [
        ...versions('split', 1, 2),
        ...versions('same', 5, 5),
        ...versions('other', 1, 2),
        withManifest(slowModel(), { timeoutMs: 60_000 }),
      ],
      runners: 1,
    });
    acme = await running.addTenant('acme');
    users = await Promise.all(Array.from({ length: USERS }, (_, at) => userOf(`user-${at}`)));
    for (const model of ['split', 'same', 'other']) {
      // Candidates are warm before they get traffic.
      expect((await acme.infer(model, fourOf(1), { version: '2' })).status).toBe(200);
    }
    await begin('split', { setWeight: 50 }, { share: shareOf(HALF) });
    await begin('same', { shadow: 100 }, { shadow: ALL });
    await begin('other', { shadow: 100 }, { shadow: ALL });
  }, 120_000);

  afterAll(() => running.end());

  function versions(name: string, ...answers: readonly number[]): ModelFiles[] {
    // A limit of their own makes versions of one answer two.
    return answers.map((answer, at) =>
      withManifest(constantAnswer(answer), { name, mayBeConstant: true, timeoutMs: 10_000 + at }),
    );
  }

  async function userOf(user: string): Promise<ApiClient> {
    const issued = await acme.post('/control/v1/tenants/acme/browser-tokens', { user });
    expect(issued.status).toBe(201);
    return running.client(issued.json<{ token: string }>().token);
  }

  /** A release of version 2 that stays at one step; nothing is compared, so that nothing but a test ends it. */
  async function begin(model: string, step: object, traffic: Partial<Release>): Promise<void> {
    const { releases, clock } = running.region().platform;
    const steps = [{ ...step, hold: LONG, analysis: false }, { setWeight: 100 }];
    const release = { ...aRelease({ id: `rel_${model}`, model, warm: ALL, ...traffic }, { steps }), epoch: 1 };
    const state = { kind: 'stepping' as const, step: 0, untilMs: clock.nowMs() + 1e7 };
    await releases.start({ ...release, state, startedAtMs: clock.nowMs() }, []);
    // A driver may have taken the traffic back until it has seen the candidate's worker.
    await vi.waitFor(
      async () => {
        const { share, shadow } = (await releases.read(release.id))!;
        expect({ share, shadow }).toEqual({ share: release.share, shadow: release.shadow });
      },
      { timeout: 20_000, interval: 100 },
    );
    await clock.sleep(SEEN_WITHIN_MS);
  }

  async function rollBack(model: string): Promise<void> {
    const { releases, clock } = running.region().platform;
    for (;;) {
      const release = await releases.read(`rel_${model}`);
      try {
        await releases.write(rolledBack(release!, clock.nowMs()), []);
        return;
      } catch (error) {
        if (!(error instanceof Failure && error.code === 'state-conflict')) throw error;
      }
    }
  }

  /** The version that answered, which is told in every place and by the answer itself. */
  function versionOf(answer: Answer): string {
    expect([answer.status, answer.status === 200 || answer.text]).toEqual([200, true]);
    const { model_version } = answer.json<InferJson>();
    expect(answer.header('sluice-model-version')).toBe(model_version);
    return model_version;
  }

  const askAll = (model: string) =>
    Promise.all(users.map(async (user) => versionOf(await user.infer(model, fourOf(1)))));

  describe('a release', () => {
    test('has about its share of users on the candidate, each of them on one version, which answers', async () => {
      const first = await askAll('split');
      expect(await askAll('split')).toEqual(first);
      const share = first.filter((version) => version === '2').length / USERS;
      // Five standard deviations of a half.
      expect(Math.abs(share - 0.5)).toBeLessThan(5 * Math.sqrt(0.25 / USERS));
      const answer = await users[first.indexOf('2')]!.infer('split', fourOf(1));
      expect(firstOutput(answer)).toEqual([2]);
    });

    test('leaves callers that name a version, and tenants that pin one, where they want to be', async () => {
      for (const version of ['1', '2'])
        for (const user of users.slice(0, 8))
          expect(versionOf(await user.infer('split', fourOf(1), { version }))).toBe(version);
      await running.changeTenant('acme', { pins: { split: '1' } });
      await running.region().platform.clock.sleep(SEEN_WITHIN_MS);
      expect(new Set(await askAll('split'))).toEqual(new Set(['1']));
      await running.changeTenant('acme', { pins: {} });
      await running.region().platform.clock.sleep(SEEN_WITHIN_MS);
      expect(new Set(await askAll('split'))).toEqual(new Set(['1', '2']));
    });
  });

  describe('a shadow', () => {
    /** What is told of version 2 once some copies are counted; a frozen worker writes with the next request. */
    async function shadowed(model: string): Promise<Telemetry> {
      const { telemetry, clock } = running.region().platform;
      const lot = lotOf({ id: `rel_${model}`, attempt: 1 });
      const read = () => telemetry.read(model, '2', 0, clock.nowMs() + 1, lot);
      await vi.waitFor(async () => expect((await read()).shadow.compared).toBeGreaterThan(10), {
        timeout: WRITTEN_WITHIN_MS,
        interval: 250,
      });
      return read();
    }

    test.each([
      ['same', 5, 1],
      ['other', 1, 0],
    ])(
      'of %s changes no answer, and tells how many agree',
      async (model, answer, agreeing) => {
        for (const user of users) {
          const told = await user.infer(model, fourOf(1));
          expect([versionOf(told), firstOutput(told)]).toEqual(['1', [answer]]);
        }
        const { shadow, release } = await shadowed(model);
        expect(shadow).toEqual({
          compared: shadow.compared,
          agreed: agreeing * shadow.compared,
          candidateFailed: 0,
        });
        expect(shadow.compared).toBeLessThanOrEqual(USERS);
        const cohorts = [...release!.cohorts.values()];
        expect(cohorts.reduce((sum, cohort) => sum + cohort.shadow.compared, 0)).toBe(shadow.compared);
        // Nobody pays for a copy, and nobody sees it.
        expect(cohorts.every(({ latencyMs }) => latencyMs.count === 0)).toBe(true);
      },
      60_000,
    );
  });

  describe('a rollback', () => {
    const ASYNC = { prefer: 'respond-async' };

    /** Whoever asks is told to come again where a crowded store has no answer yet. */
    async function resultAt(place: string): Promise<Answer> {
      for (;;) {
        const answer = await acme.result(place);
        if (answer.status !== 202 && answer.json().code !== 'overloaded') return answer;
        await running.region().platform.clock.sleep(1000);
      }
    }

    test('has new requests off the candidate within two seconds and its queue run on stable, and none fails', async () => {
      const before = await askAll('split');
      const onCandidate = users.filter((_, at) => before[at] === '2');
      const { size } = await running.startedJobs();
      const busy = acme.infer('slow', int64s('rounds', 5000));
      await vi.waitFor(async () => expect((await running.startedJobs()).size).toBe(size + 1), { timeout: 20_000 });
      const queued = await Promise.all(
        onCandidate.slice(0, 10).map((user) => user.infer('split', fourOf(1), { headers: ASYNC })),
      );
      expect(queued.map(({ status }) => status)).toEqual(queued.map(() => 202));
      expect(new Set(queued.map((answer) => answer.header('sluice-model-version')))).toEqual(new Set(['2']));
      await rollBack('split');
      const some = users.slice(0, 12);
      const meanwhile = some.map((user) => user.infer('split', fourOf(1)));
      await running.region().platform.clock.sleep(SEEN_WITHIN_MS);
      const after = some.map((user) => user.infer('split', fourOf(1)));
      expect((await busy).status).toBe(200);
      expect(new Set((await Promise.all(after)).map(versionOf))).toEqual(new Set(['1']));
      for (const answer of await Promise.all(meanwhile)) versionOf(answer);
      for (const accepted of queued) {
        const result = await resultAt(accepted.header('location')!);
        expect([versionOf(result), firstOutput(result)]).toEqual(['1', [1]]);
      }
    }, 120_000);
  });
}
