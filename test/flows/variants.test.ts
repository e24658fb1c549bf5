import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { setStable } from '../../core/models/push.ts';
import { constantAnswer } from '../support/bad-models.ts';
import { echoText } from '../support/echo-models.ts';
import { type Answer, type ApiClient, firstOutput, fourOf, type InferJson, texts } from '../support/http-client.ts';
import { expectProblem } from '../support/problems.ts';
import { withManifest } from '../support/push-model.ts';
import { type RunningPlatform, startRunning } from '../support/running-platform.ts';

type Manifest = Parameters<typeof withManifest>[1];

const constant = (name: string, value: number, more: Manifest = {}) =>
  withManifest(constantAnswer(value), { name, mayBeConstant: true, ...more });

let running: RunningPlatform;
let free: ApiClient;
let pro: ApiClient;

beforeAll(async () => {
  running = await startRunning({
    models: [
      constant('huge', 9),
      // Would send enterprise on to `huge`: one hop only.
      constant('large', 3, { variants: { enterprise: 'huge', pro: 'huge' } }),
      withManifest(echoText('textual'), {}),
      constant('scorer', 1, { variants: { enterprise: 'large', free: 'scorer' }, cache: { seconds: 60 } }),
      constant('odd', 4, { variants: { enterprise: 'textual' } }),
    ],
    runners: 1,
  });
  free = await running.addTenant('small', { plan: 'free', overrides: { requestBurst: 1000, requestsPerSecond: 100 } });
  pro = await running.addTenant('medium', { plan: 'pro' });
});

afterAll(() => running.end());

const enterprise = (id: string, models?: readonly string[]) =>
  running.addTenant(id).then((client) => (models === undefined ? client : running.addKey(id, { models })));

/** What was answered, under which name, and by what. */
function told(answer: Answer) {
  expect(answer.status).toBe(200);
  const { model_name, model_version } = answer.json<InferJson>();
  return [firstOutput(answer)?.[0], model_name, model_version, answer.header('sluice-variant')];
}

describe('a model with variants', () => {
  test('is answered for by the model of the plan, under its own name', async () => {
    expect(told(await free.infer('scorer', fourOf(1)))).toEqual([1, 'scorer', '1', undefined]);
    expect(told(await pro.infer('scorer', fourOf(1)))).toEqual([1, 'scorer', '1', undefined]);
    const acme = await enterprise('acme');
    expect(told(await acme.infer('scorer', fourOf(1)))).toEqual([3, 'scorer', '1', 'large']);
    expect(told(await acme.infer('large', fourOf(1)))).toEqual([9, 'large', '1', 'huge']);
  });

  test('answers itself who names its version', async () => {
    const acme = await enterprise('naming');
    expect(told(await acme.infer('scorer', fourOf(1), { version: '1' }))).toEqual([1, 'scorer', '1', undefined]);
  });

  test('needs no leave to call the variant, which may still not be called by name', async () => {
    const scoped = await enterprise('scoped', ['scorer']);
    expect(told(await scoped.infer('scorer', fourOf(1)))).toEqual([3, 'scorer', '1', 'large']);
    expectProblem(await scoped.infer('large', fourOf(1)), 'model-unknown');
    const other = await running.addKey('scoped', { models: ['large'] });
    expectProblem(await other.infer('scorer', fourOf(1)), 'model-unknown');
  });

  test('tells of it in a 202, in the result, and in the replay of a key', async () => {
    const acme = await enterprise('later');
    const headers = { prefer: 'respond-async', 'idempotency-key': 'k1' };
    const accepted = await acme.infer('scorer', fourOf(1), { headers });
    expect(accepted.status).toBe(202);
    expect(accepted.header('sluice-variant')).toBe('large');
    const result = await acme.result(accepted.header('location')!);
    expect(told(result)).toEqual([3, 'scorer', '1', 'large']);
    const replayed = await acme.infer('scorer', fourOf(1), { headers });
    expect(told(replayed)).toEqual([3, 'scorer', '1', 'large']);
    expect(replayed.text).toBe(result.text);
    expect(replayed.header('sluice-replayed')).toBe('true');
  });

  test("takes the variant's inputs, and its metadata say so", async () => {
    const acme = await enterprise('inputs');
    expectProblem(await acme.infer('odd', fourOf(1)), 'input-unknown');
    expect(told(await acme.infer('odd', texts('text', 'words')))).toEqual(['words', 'odd', '1', 'textual']);
    expect(told(await free.infer('odd', fourOf(1)))).toEqual([4, 'odd', '1', undefined]);
    const metadata = await acme.get('/v2/models/odd');
    expect(metadata.json()).toMatchObject({ name: 'odd', versions: [], inputs: [{ name: 'text' }] });
    expect(metadata.header('sluice-variant')).toBe('textual');
    const own = await free.get('/v2/models/odd');
    expect(own.json()).toMatchObject({ name: 'odd', versions: ['1'], inputs: [{ name: 'x' }] });
    expect(own.header('sluice-variant')).toBeUndefined();
    expect((await acme.get('/v2/models/odd/ready')).json()).toEqual({ name: 'odd', ready: true });
    expect((await acme.get('/v2/models/odd/versions/1')).json()).toMatchObject({ inputs: [{ name: 'x' }] });
  });

  test('shares no cache with another plan, and uses the cache of the model that answers', async () => {
    const acme = await enterprise('cacheless');
    for (const cache of ['miss', 'hit']) {
      expect((await pro.infer('scorer', fourOf(2))).header('sluice-cache')).toBe(cache);
      // `large` has no cache.
      expect((await acme.infer('scorer', fourOf(2))).header('sluice-cache')).toBe('none');
    }
  });

  test('follows the plan within a second', async () => {
    const moving = await running.addTenant('moving', { plan: 'pro' });
    expect(told(await moving.infer('scorer', fourOf(1)))[0]).toBe(1);
    await running.changeTenant('moving', { plan: 'enterprise' });
    await vi.waitFor(async () => expect(told(await moving.infer('scorer', fourOf(1)))[0]).toBe(3), { timeout: 3000 });
  });
});

describe('a variant that is not there', () => {
  test('leaves the model named to answer, which is logged once, until it is', async () => {
    const { platform } = running.region();
    // As if the model had been pushed by a release that did not look: the push itself would be refused.
    const { version, ...record } = (await platform.registry.readVersion('scorer', '1'))!;
    const manifest = { ...record.manifest, name: 'lonely', variants: { enterprise: 'missing' } };
    await platform.registry.addVersion({ ...record, model: 'lonely', manifest, digest: 'e'.repeat(64) });
    await setStable(platform, 'lonely', version);
    const acme = await enterprise('patient');
    const warnings = () => running.logLines.filter((line) => line.includes('variant has no stable version'));
    for (let i = 0; i < 3; i += 1) {
      expect(told(await acme.infer('lonely', fourOf(1)))).toEqual([1, 'lonely', '1', undefined]);
    }
    expect(warnings()).toHaveLength(1);
    expect(JSON.parse(warnings()[0]!)).toMatchObject({ model: 'lonely', plan: 'enterprise', variant: 'missing' });
    await running.push(constant('missing', 6));
    await vi.waitFor(async () => expect(told(await acme.infer('lonely', fourOf(1)))[0]).toBe(6), { timeout: 3000 });
  });

  test('such as one whose route has no stable version', async () => {
    const { platform } = running.region();
    const { version: _, ...record } = (await platform.registry.readVersion('scorer', '1'))!;
    const named = (name: string, variants: Record<string, string>, digest: string) => ({
      ...record,
      model: name,
      manifest: { ...record.manifest, name, variants },
      digest: digest.repeat(64),
    });
    await platform.registry.addVersion(named('unstable', {}, 'a'));
    await platform.registry.addVersion(named('hopeful', { constructor: 'huge', enterprise: 'unstable' }, 'b'));
    await setStable(platform, 'hopeful', '1');
    const acme = await enterprise('hopeful');
    expect(told(await acme.infer('hopeful', fourOf(1)))).toEqual([1, 'hopeful', '1', undefined]);
  });
});
