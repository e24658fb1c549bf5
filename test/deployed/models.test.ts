import { afterAll, beforeAll, expect, test } from 'vitest';
import { CHECKS } from '../../core/models/report.ts';
import { type Cloud, startCloud } from '../support/aws/cloud.ts';
import { DeployedPlatform } from '../support/aws/deployed-platform.ts';
import { constantAnswer } from '../support/bad-models.ts';
import { type ApiClient, firstOutput, fourOf } from '../support/http-client.ts';
import { expectProblem } from '../support/problems.ts';
import { pushAndFollow, startPush, withManifest } from '../support/push-model.ts';

let cloud: Cloud;
let platform: DeployedPlatform;
let operator: ApiClient;
let acme: ApiClient;

beforeAll(async () => {
  cloud = await startCloud();
  platform = await DeployedPlatform.start(cloud, { runners: 1, scheduled: ['validate', 'notices', 'sweep'] });
  operator = await platform.addKey(undefined);
  acme = await platform.addTenant('acme');
}, 120_000);

afterAll(async () => {
  await platform?.end();
  await cloud.stop();
});

test('a push goes to S3, is validated by a function and serves', async () => {
  const files = withManifest(constantAnswer(3), { name: 'pushed' });
  expect(await pushAndFollow(operator, files)).toMatchObject({ state: 'accepted', version: '1' });
  const version = (await operator.get('/control/v1/models/pushed/versions/1')).json<{
    validation: { checks: object[] };
  }>();
  expect(version.validation.checks).toHaveLength(CHECKS.length);
  expect(firstOutput(await acme.infer('pushed', fourOf(1)))).toEqual([3]);
  const again = await startPush(operator, files);
  expect([again.status, again.header('location')]).toEqual([200, '/control/v1/models/pushed/versions/1']);
}, 120_000);

test('a push whose golden answers are not the model\u2019s is refused with what is wrong', async () => {
  const wrong = { ...withManifest(constantAnswer(3), { name: 'wrong' }), golden: constantAnswer(99).golden };
  expect(await pushAndFollow(operator, wrong)).toMatchObject({
    state: 'refused',
    version: null,
    problem: { code: 'golden-mismatch' },
  });
  expectProblem(await acme.infer('wrong', fourOf(1)), 'model-unknown');
}, 120_000);

test('webhooks go to public addresses alone', async () => {
  const hooks = '/control/v1/tenants/acme/webhooks';
  for (const url of ['http://127.0.0.1:9/hook', 'https://10.0.0.1/hook', 'https://localhost/hook']) {
    expectProblem(await acme.post(hooks, { url }), 'webhook-url-refused', { field: 'url' });
  }
});

test('no function that nobody waits for has failed', () => {
  expect(platform.region().deployed.failures).toEqual([]);
});
