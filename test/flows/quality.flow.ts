import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import type { QualityJson, TenantQualityJson } from '../../core/api/quality-json.ts';
import { HOUR_MS, MINUTE_MS } from '../../core/units.ts';
import { aProfile, sawBefore } from '../support/drift.ts';
import { type Answer, type ApiClient, texts } from '../support/http-client.ts';
import { type PlatformUnderTest, readSample, type StartPlatform } from '../support/platform-under-test.ts';
import { expectProblem } from '../support/problems.ts';
import { startPush, withManifest } from '../support/push-model.ts';
import { SOON, type WebhookJson } from '../support/webhook-calls.ts';
import type { WebhookReceiver } from '../support/webhook-receiver.ts';

const WRITTEN_WITHIN = { timeout: 15_000, interval: 250 };
const HOOKS = '/control/v1/notice-webhooks';
const USUAL = { negative: 100, neutral: 300, positive: 200 };
const MODEL = 'ticket-sentiment';
const PATH = `/control/v1/models/${MODEL}/quality`;

type Told = { readonly type: string; readonly reason?: unknown };

export type QualityHost = {
  readonly start: StartPlatform;
  readonly openReceiver: () => Promise<WebhookReceiver>;
  /** Looks at all versions as the host does on its schedule, or lets it. */
  readonly look: (platform: PlatformUnderTest) => Promise<void>;
};

/** How a version is compared with its reference, who sees it, and who hears of it. */
export function describeQuality({ start, openReceiver, look }: QualityHost): void {
  let platform: PlatformUnderTest;
  let operator: ApiClient;
  let receiver: WebhookReceiver | undefined;

  beforeAll(async () => {
    const drift = { windowMinutes: 1, alarmAfter: 1, minSamples: 100, threshold: 0.1 };
    const files = { ...(await readSample(MODEL)), reference: undefined };
    platform = await start({ models: [withManifest(files, { drift })], runners: 1 });
    operator = await platform.addKey(undefined);
  }, 120_000);

  afterAll(() => platform.end());
  afterEach(() => receiver?.stop());

  const read = async (client: ApiClient, path = PATH) => expectOk(await client.get(path)).json<QualityJson>();
  const check = async () => expectOk(await operator.post(`${PATH}/checks`, undefined)).json<QualityJson>();
  const name = { model: MODEL, version: '1' };

  function expectOk(answer: Answer): Answer {
    expect(answer.status, answer.text).toBe(200);
    return answer;
  }

  /** What a version saw just before the last minute that everything is known of ended. */
  async function saw(labels: Readonly<Record<string, number>>): Promise<void> {
    const { platform: ports } = platform.region();
    const endMs = Math.floor((ports.clock.nowMs() - MINUTE_MS) / MINUTE_MS) * MINUTE_MS;
    await sawBefore(ports, endMs, aProfile(labels), name);
  }

  test('what validation saw is the reference of a version until another one is chosen, and said to be too little', async () => {
    const quality = await read(operator);
    expect(quality).toMatchObject({ ...name, status: 'too-few', checks: [], window: null, checked_at: null });
    expect(quality.reference).toMatchObject({ kind: 'validation', from: null, until: null });
    expect(quality.reference!.rows).toBeLessThan(100);
  });

  test('what a model was trained on is its reference if it is pushed with it, and what is wrong with that is listed', async () => {
    const files = withManifest(await readSample(MODEL), { name: 'with-reference' });
    await platform.push(files);
    const { reference, status } = await read(operator, '/control/v1/models/with-reference/quality');
    expect([reference, status]).toEqual([{ kind: 'training', from: null, until: null, rows: 4547 }, 'too-few']);
    const bad = { labels: { yes: -1 }, confidence: [1], inputs: { text: { rows: 3, missing: 4, colour: 'red' } } };
    const { problems } = expectProblem(
      await startPush(operator, { ...files, reference: JSON.stringify(bad) }),
      'reference-invalid',
    );
    expect((problems as string[]).map((problem) => problem.split(':')[0]).sort()).toEqual([
      'confidence',
      'inputs.text.colour',
      'inputs.text.missing',
      'labels.yes',
    ]);
    expectProblem(await startPush(operator, { ...files, reference: '{}' }), 'reference-invalid');
    expectProblem(await startPush(operator, { ...files, reference: '{"labels":' }), 'reference-invalid');
  });

  test('what was answered is seen by whoever asks for a check', async () => {
    const acme = await platform.addTenant('acme');
    for (const text of ['I love it, thank you so much!', 'This is terrible.', 'Where is the invoice?'])
      expectOk(await acme.infer(MODEL, texts('text', text)));
    await vi.waitFor(async () => {
      // A handler that is frozen between requests writes with the next one.
      await acme.infer(MODEL, texts('text', 'again'));
      const { labels, rows, confidence } = await check();
      expect(rows).toBeGreaterThanOrEqual(3);
      expect(labels.map(({ label }) => label).sort()).toEqual(['negative', 'neutral', 'positive']);
      expect(confidence.current.reduce((sum, count) => sum + count, 0)).toBe(rows);
    }, WRITTEN_WITHIN);
  });

  test('a window of production is a reference if it has rows enough', async () => {
    const { platform: ports } = platform.region();
    const untilMs = Math.floor(ports.clock.nowMs() / MINUTE_MS) * MINUTE_MS - HOUR_MS;
    const window = { kind: 'window', from: iso(untilMs - HOUR_MS), until: iso(untilMs) };
    const put = (body: object) => operator.send('PUT', `${PATH}/reference`, { body });
    expectProblem(await put(window), 'reference-missing', { field: 'kind' });
    expectProblem(await put({ kind: 'training' }), 'reference-missing', { field: 'kind' });
    expectProblem(await put({ kind: 'window', from: window.until, until: window.from }), 'request-invalid');
    expectProblem(await put({ kind: 'window' }), 'request-invalid');
    expectProblem(await put({ kind: 'validation', from: window.from }), 'request-invalid', { field: 'from' });
    await sawBefore(ports, untilMs, aProfile(USUAL), name);
    const { reference } = expectOk(await put(window)).json<QualityJson>();
    expect(reference).toEqual({ ...window, rows: 600 });
    expect((await read(operator)).reference).toEqual(reference);
  });

  test("a version that has drifted says by what, and operators' webhooks hear of it once, without label text", async () => {
    receiver = await openReceiver();
    const hook = (await operator.post(HOOKS, { url: receiver.url, events: ['model.drifted'] })).json<WebhookJson>();
    await vi.waitFor(
      async () => {
        await saw({ negative: 500, neutral: 50 });
        await check();
        expect((await read(operator)).status).toBe('drifted');
      },
      { timeout: 150_000, interval: 5_000 },
    );
    const quality = await read(operator);
    expect(quality.checks.find((each) => each.name === 'labels')).toMatchObject({ method: 'js', drifted: true });
    expect(quality.history[0]).toMatchObject({ at: quality.window!.until, status: 'drifted' });
    await look(platform);
    const told = () => receiver!.verified(hook.secret).map(({ type, data }): Told => ({ type, ...data }));
    await vi.waitFor(() => expect(told().filter(({ reason }) => reason === 'drift')).toHaveLength(1), SOON);
    expect(told()[0]).toMatchObject({ type: 'model.drifted', ...name });
    for (const label of Object.keys(USUAL)) expect(JSON.stringify(told())).not.toContain(label);
  }, 200_000);

  test('a tenant sees of its own models how they do, and nothing of what others ask', async () => {
    const admin = await platform.addTenant('globex');
    const path = (tenant: string, model = MODEL) => `/control/v1/tenants/${tenant}/models/${model}/quality`;
    const quality = expectOk(await admin.get(path('globex'))).json<TenantQualityJson>();
    expect(Object.keys(quality).sort()).toEqual(['checked_at', 'checks', 'model', 'status', 'version', 'window']);
    expect(quality).toMatchObject({ ...name, status: 'drifted' });
    expect(JSON.stringify(quality)).not.toMatch(/samples|rows|negative/);
    expectProblem(await admin.get(path('acme')), 'forbidden');
    expectProblem(await admin.get(PATH), 'forbidden');
    expectProblem(await admin.post(`${PATH}/checks`, undefined), 'forbidden');
    expectProblem(await admin.send('PUT', `${PATH}/reference`, { body: { kind: 'validation' } }), 'forbidden');
    const user = await platform.addKey('globex');
    expectProblem(await user.get(path('globex')), 'forbidden');
    expectProblem(await admin.get(path('globex', 'no-such-model')), 'model-unknown');
    const narrow = await platform.addKey('globex', { role: 'tenant-admin', models: ['another'] });
    expectProblem(await narrow.get(path('globex')), 'model-unknown');
  });

  test('models and versions that are not there are said to be unknown', async () => {
    expectProblem(await operator.get('/control/v1/models/nobody/quality'), 'model-unknown');
    expectProblem(await operator.get(`${PATH}?version=99`), 'version-unknown');
    expectProblem(await operator.post('/control/v1/models/nobody/quality/checks', undefined), 'model-unknown');
    expectProblem(await operator.get(`${PATH}?versio=1`), 'field-unknown');
  });
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}
