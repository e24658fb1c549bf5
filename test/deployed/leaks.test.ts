import { ScanCommand } from '@aws-sdk/client-dynamodb';
import { GetObjectCommand, ListObjectsV2Command } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Cloud, startCloud } from '../support/aws/cloud.ts';
import { DeployedPlatform } from '../support/aws/deployed-platform.ts';
import { ServiceProxy } from '../support/aws/service-proxy.ts';
import { leaksInAnswers, type MarkedTenant, sendMarked } from '../support/marked-traffic.ts';
import { type Leak, MarkerRun } from '../support/markers.ts';
import { trialModel } from '../support/trial-model.ts';

let cloud: Cloud;
let platform: DeployedPlatform;
const proxies: Record<'dynamo' | 'sqs' | 's3' | 'kms', ServiceProxy> = {} as never;
/** All that functions and workers have sent to services. */
const sent: { readonly where: string; readonly body: Buffer }[] = [];

beforeAll(async () => {
  cloud = await startCloud();
  const endpoints: Record<string, string> = {};
  for (const service of ['dynamo', 'sqs', 's3', 'kms'] as const) {
    const proxy = await ServiceProxy.start(cloud.endpoints[service]);
    proxy.judge = ({ operation, body }) => {
      sent.push({ where: `${service} ${operation}`, body });
      return 'done';
    };
    proxies[service] = proxy;
    endpoints[service] = proxy.url;
  }
  platform = await DeployedPlatform.start(cloud, { models: [trialModel()], runners: 1, endpoints });
}, 120_000);

afterAll(async () => {
  await platform?.end();
  for (const proxy of Object.values(proxies)) proxy.stop();
  await cloud?.stop();
});

/** What lies in tables and buckets. */
async function stored(marks: MarkerRun): Promise<Leak[]> {
  const { variables } = platform.region().deployed;
  const leaks: Leak[] = [];
  for (const [name, table] of Object.entries(variables).filter(([variable]) => variable.endsWith('_TABLE'))) {
    const { Items } = await cloud.dynamo.client.send(new ScanCommand({ TableName: table }));
    leaks.push(...marks.inBytes(name, Buffer.from(JSON.stringify(Items, base64))));
  }
  for (const Bucket of [variables.SLUICE_PAYLOADS_BUCKET, variables.SLUICE_ARTIFACTS_BUCKET]) {
    const { Contents = [] } = await cloud.fauxqs.s3.send(new ListObjectsV2Command({ Bucket }));
    for (const { Key } of Contents) {
      const { Body } = await cloud.fauxqs.s3.send(new GetObjectCommand({ Bucket, Key }));
      leaks.push(...marks.inBytes(`${Bucket}/${Key}`, Buffer.from(await Body!.transformToByteArray())));
    }
  }
  return leaks;
}

function base64(_: string, value: unknown): unknown {
  return value instanceof Uint8Array ? Buffer.from(value).toString('base64') : value;
}

test('a tenant\u2019s text is in its own answers, and in no log, call, table, queue or bucket as it was written', async () => {
  const tenants: MarkedTenant[] = [];
  for (const id of ['tenant0', 'tenant1', 'tenant2', 'tenant3'])
    tenants.push({ id, client: await platform.addTenant(id) });
  const marks = new MarkerRun();
  const exchanges = await sendMarked(tenants, marks, {
    answered: 8,
    accepted: 6,
    'accepted late': 2,
    binary: 2,
    repeated: 3,
    refused: 1,
    'accepted and refused': 1,
    invalid: 1,
  });
  exchanges.push(...(await sendMarked(tenants.slice(0, 1), marks, { crashed: 1 })));
  expect(exchanges.flatMap(({ answers }) => answers.map(({ status }) => status))).toEqual(
    expect.arrayContaining([200, 202]),
  );
  expect(leaksInAnswers(exchanges, marks)).toEqual([]);
  expect(marks.inBytes('log', Buffer.from(platform.logLines.join('\n')))).toEqual([]);
  expect(sent.length).toBeGreaterThan(500);
  expect(sent.flatMap(({ where, body }) => marks.inBytes(where, body))).toEqual([]);
  expect(await stored(marks)).toEqual([]);
}, 120_000);

/** A tenant's name is no secret: it lies in its record as it is. */
test('what is looked through would show a leak', async () => {
  const marks = new MarkerRun();
  const operator = await platform.addKey(undefined);
  const name = marks.next('tenant0');
  expect((await operator.send('PATCH', '/control/v1/tenants/tenant0', { body: { name } })).status).toBe(200);
  expect(await stored(marks)).toMatchObject([{ where: 'SLUICE_CONTROL_TABLE' }]);
  expect(sent.flatMap(({ where, body }) => marks.inBytes(where, body))).not.toEqual([]);
});
