import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ValidationJson } from '../../core/api/validation-json.ts';
import { type Cloud, startCloud } from '../support/aws/cloud.ts';
import { DeployedRegion, operatorSecret } from '../support/aws/deployed-region.ts';
import { constantAnswer, crashOnMinusOne } from '../support/bad-models.ts';
import { ApiClient } from '../support/http-client.ts';
import { startPush } from '../support/push-model.ts';

let cloud: Cloud;
let region: DeployedRegion;
let operator: ApiClient;
const logLines: string[] = [];
beforeAll(async () => {
  cloud = await startCloud();
  const directoryTable = await cloud.dynamo.createTable();
  const options = { cloud, region: 'us', directoryTable, runners: 1, workers: 0, logLines, scheduled: [] };
  region = await DeployedRegion.create(options);
  const { url } = region.gateway;
  const settings = { regionUrls: { us: url }, corsOrigins: [], logLevel: 'info' };
  cloud.ssm.parameters.set(region.variables.SLUICE_SETTINGS_PARAMETER, JSON.stringify(settings));
  await region.functions.setup.run({});
  operator = new ApiClient(url, cloud.secrets.read(operatorSecret(region.variables)));
}, 120_000);
afterAll(async () => {
  await region.stop(true);
  await cloud.stop();
});

test('one run of `validate` validates all pushes that wait, one that crashes too, and `replay` runs what was added', async () => {
  const good = constantAnswer(1);
  const pushes = [await startPush(operator, crashOnMinusOne()), await startPush(operator, good)];
  expect(pushes.map(({ status }) => status)).toEqual([202, 202]);
  const places = pushes.map(({ headers }) => headers.get('location')!);
  expect(await region.functions.validate.run({ Records: [{ eventName: 'INSERT' }] })).toBeNull();
  const [refused, added] = await Promise.all(
    places.map(async (place) => (await operator.get(place)).json<ValidationJson>()),
  );
  expect(refused, logLines.join('\n')).toMatchObject({ state: 'refused' });
  expect(added, logLines.join('\n')).toMatchObject({ state: 'accepted', version: '1' });
  // The crash was that of a process of its own.
  expect(region.functions.validate.initMs).toHaveLength(1);
  const replay = { from: '1', to: '1', source: 'golden' };
  const replayed = await operator.post(`/control/v1/models/${good.manifest.name}/replays`, replay);
  expect(replayed.status, replayed.text).toBe(200);
  expect(replayed.json()).toMatchObject({ compared: 1, differ: 0 });
}, 120_000);

test('a run of `validate` with nothing to do ends at once', async () => {
  const startMs = performance.now();
  await region.functions.validate.run({});
  expect(performance.now() - startMs).toBeLessThan(5000);
});
