import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { deadLetterId } from '../../core/inference/dead-letter.ts';
import { setCaptureConsent } from '../../core/tenancy/capture-consent.ts';
import type { Access } from '../../lib/access.ts';
import { type Cloud, startCloud } from '../support/aws/cloud.ts';
import { DeployedPlatform } from '../support/aws/deployed-platform.ts';
import { type HooksInternet, openHooksInternet } from '../support/aws/hooks-internet.ts';
import { PROCESS_ACCESS, type Process } from '../support/aws/iam-access.ts';
import { constantAnswer } from '../support/bad-models.ts';
import { aNotice } from '../support/drift.ts';
import { echoText } from '../support/echo-models.ts';
import { type ApiClient, fourOf, texts } from '../support/http-client.ts';
import { aJob } from '../support/jobs.ts';
import { pushAndFollow, withManifest } from '../support/push-model.ts';

const ASYNC = { headers: { prefer: 'respond-async' } };
const SOON = { timeout: 30_000, interval: 200 };
const CALLERS = 30;
/** More than a table or a queue takes. */
const LARGE = new Array<string>(80).fill('x'.repeat(5000));
const AT_ONCE = { steps: [{ setWeight: 100 }] };

let cloud: Cloud;
let internet: HooksInternet;
let platform: DeployedPlatform;
let acme: ApiClient;
let operator: ApiClient;

beforeAll(async () => {
  [cloud, internet] = await Promise.all([startCloud(), openHooksInternet()]);
  const models = [constantAnswer(1), withManifest(echoText('echo'), { capture: { share: 1 } })] as const;
  platform = await DeployedPlatform.start(cloud, {
    models: ['row-sum', 'ticket-sentiment', ...models],
    runners: 1,
    scheduled: ['validate', 'notices', 'sweep'],
    functionVariables: internet.functionVariables,
  });
  acme = await platform.addTenant('acme');
  await setCaptureConsent(platform.region().platform, { id: 'key:test', tenant: 'acme' }, 'acme', true);
  operator = await platform.addKey(undefined);
}, 120_000);

afterAll(async () => {
  await platform?.end();
  await cloud?.stop();
  await internet?.close();
});

test('thirty callers of a tenant that arrive at once where nobody has called before are answered or told when to come again', async () => {
  const answers = await Promise.all(
    Array.from({ length: CALLERS }, (_, value) => acme.infer('row-sum', fourOf(value))),
  );
  const statuses = answers.map(({ status }) => status);
  expect(statuses.filter((status) => ![200, 202, 429].includes(status))).toEqual([]);
  expect(statuses.filter((status) => status === 429).length).toBeLessThan(CALLERS / 2);
});

describe('what functions and workers do over the life of a tenant and a model', () => {
  test('is all done', async () => {
    const hooks = '/control/v1/tenants/acme/webhooks';
    expect((await acme.post(hooks, { url: 'https://hooks.test/hook' })).status).toBe(201);
    await everyKindOfRequest();
    await whatDies();
    await aVersionAndItsRelease();
    await howModelsDo();
    await platform.region().deployed.functions.watch.run({});
    expect((await acme.get('/control/v1/tenants/acme/usage')).status).toBe(200);
    const globex = { id: 'globex', name: 'Globex', plan: 'enterprise' };
    const created = await operator.post('/control/v1/tenants', globex);
    expect(created.status, created.text).toBe(201);
    expect((await operator.send('DELETE', '/control/v1/tenants/acme/data')).status).toBe(204);
  }, 180_000);

  test('is what their policies allow', () => {
    expect(platform.access()).toEqual([]);
  });

  test('is found missing where a policy allows less', () => {
    const { infer, worker } = PROCESS_ACCESS;
    const { queues: _, ...silent } = infer;
    const denied = (access: Access) => platform.access('us', { infer: access });
    expect(denied(infer)).toEqual([]);
    expect(denied(silent)).toContainEqual(expect.objectContaining({ process: 'infer', action: 'sqs:SendMessage' }));
    const reading = denied({ ...infer, tables: { ...infer.tables, jobs: 'read' } });
    expect(reading).toContainEqual(expect.objectContaining({ process: 'infer', action: 'dynamodb:PutItem' }));
    const { dataKeys: __, ...keyless } = worker;
    const found = platform.access('us', { worker: keyless }).map(({ resource }) => resource);
    expect(found.join()).toContain('kms:EncryptionContext:purpose=data-key');
  });

  test('needs each permission, but those whose reason is written down', () => {
    expect(idle().filter((permission) => !NOT_NEEDED_HERE.has(permission))).toEqual([]);
  });
});

/** At once, later, large, again with its key, cancelled and read. */
async function everyKindOfRequest(): Promise<void> {
  for (const text of [['a'], LARGE]) {
    const answer = await acme.infer('echo', texts('text', ...text));
    expect(answer.status, answer.text.slice(0, 300)).toBeLessThan(300);
  }
  const accepted = await Promise.all([
    acme.infer('row-sum', fourOf(1), ASYNC),
    acme.infer('echo', texts('text', ...LARGE), ASYNC),
    acme.infer('row-sum', fourOf(2), { headers: { ...ASYNC.headers, 'idempotency-key': '"once"' } }),
  ]);
  for (const answer of accepted) {
    expect(answer.status, answer.text).toBe(202);
    expect((await acme.result(answer.header('location')!)).status).toBe(200);
  }
  await tellTruth();
  const cancelled = await acme.infer('row-sum', fourOf(3), ASYNC);
  expect((await acme.send('DELETE', cancelled.header('location')!)).status).toBeLessThan(500);
  const { token } = (await acme.post('/control/v1/tenants/acme/browser-tokens', { user: 'ann' })).json<{
    token: string;
  }>();
  const browser = platform.client(token);
  expect((await browser.infer('row-sum', fourOf(4))).status).toBe(200);
  expect((await browser.get('/v2/models')).status).toBe(200);
  expect((await browser.post('/control/v1/models/echo/replays', {})).status).toBe(403);
  expect((await browser.get(cancelled.header('location')!)).status).toBeLessThan(500);
  await vi.waitFor(
    () => expect(platform.logLines.some((line) => line.includes('"webhook delivery"'))).toBe(true),
    SOON,
  );
}

/** A prediction that nobody could handle is run again, another one is forgotten; and what operators ask and set. */
async function whatDies(): Promise<void> {
  const { deadLetters } = platform.region().platform;
  const letters = '/control/v1/tenants/acme/dead-letters';
  const died = { pool: 'default', lane: 'bulk', reason: 'internal', attempts: 51, redrivable: true } as const;
  for (const digit of ['1', '2']) {
    const id = `pred_${digit.repeat(32)}`;
    const inputs = [{ name: 'text', datatype: 'BYTES' as const, shape: [LARGE.length], data: LARGE }];
    const job = aJob({ id, tenant: 'acme', model: 'echo', requestedModel: 'echo', durable: true, inputs });
    const letter = { id: deadLetterId(id), tenant: 'acme', prediction: id, model: 'echo', version: '1' };
    await deadLetters.add({ ...letter, ...died, atMs: Date.now() }, job);
  }
  const [first, second] = (await acme.get(letters)).json<{ items: { id: string }[] }>().items;
  const redriven = await acme.post(`${letters}/${first!.id}/redrive`, {});
  expect(redriven.status, redriven.text).toBe(202);
  expect((await acme.result(redriven.header('location')!)).status).toBe(200);
  expect((await acme.send('DELETE', `${letters}/${second!.id}`)).status).toBe(204);
  expect((await operator.get('/control/v1/pools')).status).toBe(200);
  const level = { level: 'debug', minutes: 1 };
  expect((await operator.send('PUT', '/control/v1/log-level', { body: level })).status).toBe(200);
  const walked = await operator.get('/control/v1/audit/verification');
  expect(walked.json(), walked.text).toMatchObject({ ok: true });
}

/** A prediction and its true label, and what that comes to. */
async function tellTruth(): Promise<void> {
  const answer = await acme.infer('ticket-sentiment', texts('text', 'I love it'));
  const path = `/v2/predictions/${answer.header('sluice-prediction')}/feedback`;
  expect((await acme.post(path, { label: 'positive' })).status).toBe(201);
  expect((await acme.get('/control/v1/tenants/acme/models/ticket-sentiment/feedback')).status).toBe(200);
  expect((await operator.get('/control/v1/models/ticket-sentiment/feedback')).status).toBe(200);
}

/** A push that is validated, a comparison, and a release of it. */
async function aVersionAndItsRelease(): Promise<void> {
  const second = withManifest(constantAnswer(2), { description: 'the second' });
  expect(await pushAndFollow(operator, second)).toMatchObject({ state: 'accepted', version: '2' });
  const models = '/control/v1/models';
  const compared = { from: '1', to: '1', source: 'captured' };
  // What is captured is written behind the answer.
  await vi.waitFor(async () => {
    const answer = await operator.post(`${models}/echo/replays`, compared);
    expect(answer.json<{ inputs: number }>().inputs, answer.text).toBeGreaterThan(0);
  }, SOON);
  const release = { version: '2', plan: AT_ONCE, reason: 'it is better' };
  const started = await operator.post(`${models}/constant-answer/releases`, release);
  expect(started.status, started.text).toBe(202);
  const { 'release-step': step } = platform.region().deployed.functions;
  // Its step is taken once workers have the version; then it is watched, by what they count.
  await vi.waitFor(async () => {
    await step.run({});
    const seen = await operator.get(started.header('location')!);
    expect(seen.json<{ state: string }>().state, seen.text).toBe('watching');
  }, SOON);
  await step.run({});
  expect((await operator.get(started.header('location')!)).status).toBe(200);
}

/** A look at versions, what there is to tell of one, and a look that somebody asks for. */
async function howModelsDo(): Promise<void> {
  const { quality } = platform.region().deployed.functions;
  const { qualityReports, clock } = platform.region().platform;
  const model = 'ticket-sentiment';
  expect((await operator.post('/control/v1/notice-webhooks', { url: 'https://hooks.test/models' })).status).toBe(201);
  await vi.waitFor(async () => {
    await quality.run({});
    expect(await qualityReports.readState(model, '1')).toBeDefined();
  }, SOON);
  const state = (await qualityReports.readState(model, '1'))!;
  const untold = [aNotice({ model, atMs: clock.nowMs() })];
  await qualityReports.writeState({ ...state, epoch: state.epoch + 1, untold }, []);
  await quality.run({});
  expect((await qualityReports.readState(model, '1'))!.untold).toEqual([]);
  expect((await operator.post(`/control/v1/models/${model}/quality/checks`, undefined)).status).toBe(200);
}

/** By process, members of its access without which nothing that was done would have been refused, as `infer wakesPools`. */
function idle(): readonly string[] {
  return (Object.keys(PROCESS_ACCESS) as Process[]).flatMap((process) =>
    [...lessThan(PROCESS_ACCESS[process])]
      .filter(([, less]) => platform.access('us', { [process]: less }).length === 0)
      .map(([without]) => `${process} ${without}`),
  );
}

/** Every access that has one thing less, by what that is. */
function* lessThan(access: Access): Generator<readonly [string, Access]> {
  for (const [table, mode] of Object.entries(access.tables)) {
    const { [table as keyof Access['tables']]: _, ...tables } = access.tables;
    yield [`table ${table}`, { ...access, tables }];
    if (mode === 'write') yield [`writes ${table}`, { ...access, tables: { ...access.tables, [table]: 'read' } }];
  }
  for (const member of Object.keys(access) as (keyof Access)[]) {
    if (member === 'tables') continue;
    const { [member]: value, ...less } = access;
    yield [member, less as Access];
    if ((member === 'artifacts' || member === 'payloads') && value === 'write') {
      yield [`writes ${member}`, { ...access, [member]: 'read' }];
    }
  }
}

const ANOTHER_REGION = 'for who belongs to another region';
const AFTER_A_LOSS = 'for what a process left that was lost';
const POOL_AT_ZERO = 'for a pool that has no worker';
const NO_SAGEMAKER = 'there is no model registry here';

/** Permissions that this life of a tenant and a model gives no reason to use, with the reason for which they are given. */
const NOT_NEEDED_HERE: ReadonlyMap<string, string> = new Map([
  ['infer table directory', ANOTHER_REGION],
  ['infer wakesPools', POOL_AT_ZERO],
  ['infer table telemetry', 'for answers that the handler itself gave up or refused'],
  ['infer writes telemetry', 'for answers that the handler itself gave up or refused'],
  ['infer artifacts', 'for models with a tokenizer'],
  ['predictions table directory', ANOTHER_REGION],
  ['predictions table telemetry', 'for predictions that the handler itself ended'],
  ['predictions writes telemetry', 'for predictions that the handler itself ended'],
  ['predictions writes payloads', 'for an outcome of the handler\u2019s own that is too large for a table'],
  ['catalogue table directory', ANOTHER_REGION],
  ['replay table directory', ANOTHER_REGION],
  ['validate writes artifacts', 'for a model file that had to be repaired'],
  ['sweep writes control', AFTER_A_LOSS],
  ['sweep writes jobs', AFTER_A_LOSS],
  ['sweep dataKeys', AFTER_A_LOSS],
  ['sweep payloads', AFTER_A_LOSS],
  ['sweep writes payloads', AFTER_A_LOSS],
  ['sweep queues', AFTER_A_LOSS],
  ['sweep wakesPools', POOL_AT_ZERO],
  ...['table control', 'writes control', 'artifacts', 'writes artifacts', 'modelPackages', 'settings'].map(
    (permission) => [`model-packages ${permission}`, NO_SAGEMAKER] as const,
  ),
  ['release-step wakesPools', POOL_AT_ZERO],
  ['release-step dataKeys', 'for webhooks of the region'],
  ['release-step dataKeys', 'for webhooks of the region, which hear of releases'],
  ['worker protectsItself', 'there is no ECS agent here'],
]);
