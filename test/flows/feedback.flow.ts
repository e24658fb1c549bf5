import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { FeedbackJson } from '../../core/api/feedback-json.ts';
import type { ManifestFile } from '../../models/model-folder.ts';
import type { ModelFiles } from '../support/bad-models.ts';
import { echoText } from '../support/echo-models.ts';
import { type Answer, type ApiClient, type InferJson, texts } from '../support/http-client.ts';
import type { PlatformUnderTest, StartPlatform } from '../support/platform-under-test.ts';
import { expectProblem } from '../support/problems.ts';

/** Windows are 5 s, and what was recorded then is written at their end. */
const WRITTEN_WITHIN_MS = 20_000;
const ASYNC = { headers: { prefer: 'respond-async' } };
const SENTIMENT = join(import.meta.dirname, '..', '..', 'models', 'ticket-sentiment');

/** The sample as another model. */
export function sentiment(changes: Partial<ManifestFile> & { readonly name: string }): ModelFiles {
  const read = (name: string) => readFileSync(join(SENTIMENT, name));
  const { feedback: _, ...manifest } = JSON.parse(read('manifest.json').toString()) as ManifestFile;
  return { manifest: { ...manifest, ...changes }, model: read('model.onnx'), golden: read('golden.jsonl').toString() };
}

const KEPT = { days: 2, labels: ['negative', 'neutral', 'positive'] };

/** Whether truths are taken once, of those who may tell them, and come to what they should. */
export function describeFeedback(start: StartPlatform): void {
  let running: PlatformUnderTest;
  let acme: ApiClient;
  let globex: ApiClient;
  let operator: ApiClient;

  beforeAll(async () => {
    running = await start({
      models: [
        'ticket-sentiment',
        sentiment({ name: 'cached', cache: { seconds: 600 }, feedback: KEPT }),
        sentiment({ name: 'forgetful' }),
        echoText('echo'),
      ],
      runners: 1,
    });
    acme = await running.addTenant('acme');
    globex = await running.addTenant('globex');
    operator = await running.addKey(undefined);
  }, 120_000);

  afterAll(() => running.end());

  const give = (caller: ApiClient, id: string, label: unknown, members: Readonly<Record<string, unknown>> = {}) =>
    caller.post(`/v2/predictions/${id}/feedback`, { label, ...members });

  /** Asks, and says what was answered to each row. */
  async function ask(caller: ApiClient, ...rows: string[]): Promise<{ id: string; labels: string[] }> {
    const answer = await caller.infer('ticket-sentiment', texts('text', ...rows));
    expect(answer.status, answer.text).toBe(200);
    return { id: answer.header('sluice-prediction')!, labels: labelsOf(answer) };
  }

  const other = (label: string) => (label === 'positive' ? 'negative' : 'positive');

  test('feedback counts once, the same again is told so, and another label is refused', async () => {
    const { id, labels } = await ask(acme, 'I love it');
    const first = await give(acme, id, labels[0]);
    expect([first.status, first.json()]).toEqual([201, { id, counted: true }]);
    const again = await give(acme, id, [labels[0]]);
    expect([again.status, again.json()]).toEqual([200, { id, counted: false }]);
    expectProblem(await give(acme, id, other(labels[0]!)), 'feedback-conflict', { field: 'label' });
    expect((await give(acme, id, labels[0])).status).toBe(200);
  });

  test('of many who tell the truth of one prediction at once, one is counted', async () => {
    const { id, labels } = await ask(acme, 'It is a shame');
    const told = await Promise.all(Array.from({ length: 8 }, () => give(acme, id, labels[0])));
    expect(told.map(({ status }) => status).sort()).toEqual([200, 200, 200, 200, 200, 200, 200, 201]);
  });

  test('a prediction of several rows takes a label for each', async () => {
    const { id, labels } = await ask(acme, 'I love it', 'I hate it');
    expectProblem(await give(acme, id, labels[0]), 'request-invalid', { field: 'label', rows: 2 });
    expectProblem(await give(acme, id, [...labels, 'neutral']), 'request-invalid', { field: 'label', rows: 2 });
    expect((await give(acme, id, labels)).status).toBe(201);
  });

  test('an accepted prediction takes it by the id of its Location', async () => {
    const accepted = await acme.infer('ticket-sentiment', texts('text', 'Where is my invoice?'), ASYNC);
    const location = accepted.header('location')!;
    await acme.result(location);
    expect((await acme.post(`${location}/feedback`, { label: 'neutral' })).status).toBe(201);
  });

  test('the id of a prediction is told beside the id that its caller gave', async () => {
    const answer = await acme.infer('ticket-sentiment', texts('text', 'Thanks'), { members: { id: 'ticket-17' } });
    expect(answer.json<InferJson>().id).toBe('ticket-17');
    expect((await give(acme, answer.header('sluice-prediction')!, 'positive')).status).toBe(201);
  });

  describe('refused', () => {
    test('is the prediction of another tenant, and one that never was, alike', async () => {
      const { id } = await ask(acme, 'Mine alone');
      expectProblem(await give(globex, id, 'neutral'), 'prediction-unknown');
      expectProblem(await give(acme, `pred_${'0'.repeat(32)}`, 'neutral'), 'prediction-unknown');
      expect((await give(acme, id, 'neutral')).status).toBe(201);
    });

    test('to users of browser tokens is the prediction of another user', async () => {
      const tokenOf = async (user: string) => {
        const created = await acme.post('/control/v1/tenants/acme/browser-tokens', { user });
        return running.client(created.json<{ token: string }>().token);
      };
      const [ann, ben] = [await tokenOf('ann'), await tokenOf('ben')];
      const { id } = await ask(ann, 'Great');
      expectProblem(await give(ben, id, 'positive'), 'prediction-unknown');
      expect((await give(ann, id, 'positive')).status).toBe(201);
    });

    test('is a label that the model does not have, without repeating it', async () => {
      const { id } = await ask(acme, 'Fine');
      const secret = 'jane.doe@example.com';
      const refused = await give(acme, id, secret);
      expectProblem(refused, 'label-unknown', { field: 'label', row: 0 });
      expect(refused.text).not.toContain('jane');
      expectProblem(await give(acme, id, 1), 'label-unknown');
      expectProblem(await give(acme, id, 1.5), 'request-invalid');
      expectProblem(await give(acme, id, []), 'request-invalid');
      expectProblem(await give(acme, id, 'x'.repeat(65)), 'request-invalid');
      expectProblem(await give(acme, id, 'neutral', { note: 'hello' }), 'field-unknown', { field: 'note' });
      expect(running.logLines.join('')).not.toContain('jane');
    });

    test('is a time in the future, and one before the prediction; one between is taken', async () => {
      const { id } = await ask(acme, 'So so');
      const at = (ms: number) => ({ at: new Date(Date.now() + ms).toISOString() });
      expectProblem(await give(acme, id, 'neutral', at(3_600_000)), 'request-invalid', { field: 'at' });
      expectProblem(await give(acme, id, 'neutral', at(-3_600_000)), 'request-invalid', { field: 'at' });
      expectProblem(await give(acme, id, 'neutral', { at: 'yesterday' }), 'request-invalid', { field: 'at' });
      expect((await give(acme, id, 'neutral', at(0))).status).toBe(201);
    });

    test('is that of a model whose manifest asks for none, where the prediction is known', async () => {
      for (const [model, id] of [
        ['forgetful', 'a text'],
        ['echo', 'another'],
      ] as const) {
        const accepted = await acme.infer(model, texts('text', id), ASYNC);
        const location = accepted.header('location')!;
        await acme.result(location);
        expectProblem(await acme.post(`${location}/feedback`, { label: 'neutral' }), 'feedback-not-kept');
      }
      const synchronous = await acme.infer('forgetful', texts('text', 'a text'));
      expectProblem(await give(acme, synchronous.header('sluice-prediction')!, 'neutral'), 'prediction-unknown');
    });

    test('is an answer of the cache, which has no id to tell its truth by', async () => {
      const computed = await acme.infer('cached', texts('text', 'the same'));
      // Kept behind the answer.
      const hit = await vi.waitFor(async () => {
        const answer = await acme.infer('cached', texts('text', 'the same'));
        expect(answer.header('sluice-cache')).toBe('hit');
        return answer;
      });
      expect(hit.header('sluice-prediction')).toBeUndefined();
      expectProblem(await give(acme, hit.json<InferJson>().id, 'neutral'), 'prediction-unknown');
      expect((await give(acme, computed.header('sluice-prediction')!, 'neutral')).status).toBe(201);
    });
  });

  const read = async (caller: ApiClient, path: string) => (await caller.get(path)).json<FeedbackJson>();

  test('what it comes to is told to operators, of all tenants together', async () => {
    const model = '/control/v1/models/cached/feedback';
    const answers = [
      ...(await askCached(acme, ['good', 'bad', 'great', 'awful'])),
      ...(await askCached(globex, ['nice', 'terrible'])),
    ];
    const before = await read(operator, '/control/v1/tenants/acme/models/cached/feedback');
    let [right, wrong] = [0, 0];
    for (const [at, { caller, id, label }] of answers.entries()) {
      const isRight = at % 3 !== 0;
      expect((await give(caller, id, isRight ? label : other(label))).status).toBe(201);
      if (isRight) right += 1;
      else wrong += 1;
    }
    const expected = right + wrong + before.count;
    const report = await vi.waitFor(
      async () => {
        // A frozen handler writes with its next request: all that were busy at once are asked.
        await Promise.all(Array.from({ length: 12 }, () => acme.get(`/v2/predictions/pred_${'0'.repeat(32)}`)));
        const found = await read(operator, model);
        expect(found.count).toBe(expected);
        return found;
      },
      { timeout: WRITTEN_WITHIN_MS, interval: 250 },
    );
    const correct = Math.round(report.accuracy! * expected);
    expect(correct - Math.round((before.accuracy ?? 0) * before.count)).toBe(right);
    const [low, high] = report.accuracy_interval!;
    expect(low).toBeLessThan(report.accuracy!);
    expect(high).toBeGreaterThan(report.accuracy!);
    expect(report).toMatchObject({ model: 'cached', version: '1', agreement: null });
    expect(report.confusion.counts.flat().reduce((sum, cell) => sum + cell, 0)).toBe(expected);
    expect(report.classes.reduce((sum, { support }) => sum + support, 0)).toBe(expected);
    expect(report.calibration.reduce((sum, { count }) => sum + count, 0)).toBe(expected);
    expect(report.items.reduce((sum, { count }) => sum + count, 0)).toBe(expected);
    expect(report.tenants.map(({ tenant, count }) => [tenant, count])).toEqual([
      ['acme', 4 + before.count],
      ['globex', 2],
    ]);
    expectProblem(await operator.get('/control/v1/models/nothing/feedback'), 'model-unknown');
    expectProblem(await operator.get(`${model}?version=9`), 'version-unknown');
    expectProblem(await acme.get(model), 'forbidden', { required_role: 'operator' });
  });

  test('a tenant is told of its own alone, at once, and by its admins alone', async () => {
    const own = (id: string) => `/control/v1/tenants/${id}/models/ticket-sentiment/feedback`;
    const before = await read(globex, own('globex'));
    expect(before).toMatchObject({ count: 0, accuracy: null, accuracy_interval: null, macro_f1: null, tenants: [] });
    const { id, labels } = await ask(globex, 'It is wonderful', 'It is a disaster');
    await give(globex, id, [labels[0], other(labels[1]!)]);
    const after = await read(globex, own('globex'));
    expect(after).toMatchObject({ count: 2, accuracy: 0.5, step_s: 86_400 });
    expect(after.tenants).toEqual([{ tenant: 'globex', count: 2, accuracy: 0.5 }]);
    expect(after.items).toHaveLength(1);
    expectProblem(await acme.get(own('globex')), 'forbidden');
    expectProblem(await (await running.addKey('globex')).get(own('globex')), 'forbidden');
    expect((await read(operator, own('globex'))).count).toBe(2);
    expectProblem(await operator.get(own('nobody')), 'tenant-unknown');
    // Whether there are models that its plan does not include is nobody's business.
    const narrow = await running.addTenant('narrow', { overrides: { models: ['echo'] } });
    for (const path of [
      own('narrow'),
      `${own('narrow')}?version=9`,
      own('narrow').replace('ticket-sentiment', 'nothing'),
    ])
      expectProblem(await narrow.get(path), 'model-unknown', { field: 'model' });
  });

  test('an erasure takes predictions, truths and what they came to along', async () => {
    const initech = await running.addTenant('initech');
    const own = '/control/v1/tenants/initech/models/ticket-sentiment/feedback';
    const told = await ask(initech, 'Great');
    await give(initech, told.id, told.labels[0]);
    const untold = await ask(initech, 'Terrible');
    expect((await read(initech, own)).count).toBe(1);
    expect((await initech.send('DELETE', '/control/v1/tenants/initech/data')).status).toBe(204);
    expectProblem(await give(initech, told.id, told.labels[0]), 'prediction-unknown');
    expectProblem(await give(initech, untold.id, untold.labels[0]), 'prediction-unknown');
    expect((await read(initech, own)).count).toBe(0);
  });

  async function askCached(caller: ApiClient, rows: readonly string[]) {
    const asked = [];
    for (const row of rows) {
      const answer = await caller.infer('cached', texts('text', row));
      asked.push({ caller, id: answer.header('sluice-prediction')!, label: labelsOf(answer)[0]! });
    }
    return asked;
  }
}

function labelsOf(answer: Answer): string[] {
  const label = answer.json<InferJson>().outputs.find(({ name }) => name === 'label')!;
  return label.data!.map(String);
}
