import { PutSecretValueCommand } from '@aws-sdk/client-secrets-manager';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { secretsManagerClient, ssmClient } from '../../adapters/aws/clients.ts';
import { Secrets } from '../../adapters/aws/secrets.ts';
import { LiveSettings } from '../../adapters/aws/settings.ts';
import { Failure } from '../../core/failure.ts';
import type { Log } from '../../core/ports/log.ts';
import { MINUTE_MS, SECOND_MS } from '../../core/units.ts';
import { SecretsEmulator } from '../support/aws/secrets-emulator.ts';
import { ServiceProxy } from '../support/aws/service-proxy.ts';
import { SsmEmulator } from '../support/aws/ssm-emulator.ts';
import { SteppedClock } from '../support/aws/stepped-clock.ts';
import { serviceError, stubCalls } from '../support/aws/stub-calls.ts';

const PARAMETER = '/test/settings';
const GOOD = { regionUrls: { us: 'https://us.test' }, corsOrigins: ['https://app.test'], logLevel: 'info' };
const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };
const local = (endpoint: string) => ({ region: 'us-east-1', endpoint, credentials });

let ssm: SsmEmulator;
let secretsManager: SecretsEmulator;
beforeAll(async () => {
  ssm = await SsmEmulator.start();
  secretsManager = await SecretsEmulator.start();
});
afterAll(async () => {
  await ssm.stop();
  await secretsManager.stop();
});

let clock: SteppedClock;
let complaints: unknown[];
beforeEach(() => {
  clock = new SteppedClock();
  complaints = [];
  put(GOOD);
});
afterEach(() => ssm.parameters.clear());

function put(settings: unknown): void {
  ssm.parameters.set(PARAMETER, typeof settings === 'string' ? settings : JSON.stringify(settings));
}

function open(url = ssm.url): Promise<LiveSettings> {
  const log: Log = { debug() {}, info() {}, warn() {}, error: (_, error) => complaints.push(error) };
  return LiveSettings.open({ client: ssmClient(local(url)), parameter: PARAMETER, clock, log });
}

test('settings are those of the parameter, an address with a slash at its end too', async () => {
  put({ ...GOOD, regionUrls: { us: 'https://us.test/v1/' } });
  expect((await open()).current).toEqual({ ...GOOD, regionUrls: { us: 'https://us.test/v1' } });
});

test('a change is seen after a minute at the latest, and nothing is read before', async () => {
  const settings = await open();
  put({ ...GOOD, logLevel: 'debug' });
  await clock.advance(MINUTE_MS - 1);
  await settings.refresh();
  expect(settings.current.logLevel).toBe('info');
  await clock.advance(1);
  await settings.refresh();
  expect(settings.current.logLevel).toBe('debug');
});

test.each([
  ['no JSON', '{'],
  ['a setting that does not exist', { ...GOOD, debug: true }],
  ['an address that is none', { ...GOOD, regionUrls: { us: 'us' } }],
  ['nothing', ''],
  ['no parameter', undefined],
])('with %s the last good settings stay, which is logged once a read', async (_, bad) => {
  const settings = await open();
  if (bad === undefined) ssm.parameters.clear();
  else put(bad);
  await clock.advance(MINUTE_MS);
  await settings.refresh();
  await settings.refresh();
  expect(settings.current).toEqual(GOOD);
  expect(complaints).toHaveLength(1);
  put({ ...GOOD, logLevel: 'warn' });
  await clock.advance(MINUTE_MS);
  await settings.refresh();
  expect(settings.current.logLevel).toBe('warn');
});

test('a store that stalls holds nobody up for longer than a second, and the last good settings stay', async () => {
  const proxy = await ServiceProxy.start(ssm.url);
  const settings = await open(proxy.url);
  proxy.judge = () => new Promise(() => {});
  await clock.advance(MINUTE_MS);
  const fromMs = performance.now();
  await settings.refresh();
  expect(performance.now() - fromMs).toBeLessThan(1.5 * SECOND_MS);
  expect(settings.current).toEqual(GOOD);
  expect(complaints).toHaveLength(1);
  proxy.stop();
});

test('of processes that start together those that are throttled wait for their turn, and a few seconds at the most', async () => {
  const client = ssmClient(local(ssm.url));
  const pauses: number[] = [];
  const waiting = { nowMs: () => 0, sleep: async (ms: number) => void pauses.push(ms) };
  const log: Log = { debug() {}, info() {}, warn() {}, error() {} };
  const start = () => LiveSettings.open({ client, parameter: PARAMETER, clock: waiting, log });
  let throttled = 3;
  stubCalls(client, () => {
    throttled -= 1;
    return throttled < 0 ? undefined : serviceError('ThrottlingException');
  });
  expect((await start()).current).toEqual(GOOD);
  expect(pauses).toHaveLength(3);
  throttled = 100;
  await expect(start()).rejects.toMatchObject({ name: 'ThrottlingException' });
  expect(Math.max(...pauses)).toBeLessThan(2 * SECOND_MS);
  expect(pauses).toHaveLength(7);
});

test('without good settings a process does not start, and is told what is wrong with them', async () => {
  put({ ...GOOD, corsOrigins: 'all', logLevel: 'loud' });
  await expect(open()).rejects.toThrow(/corsOrigins.*logLevel/);
  put('{');
  await expect(open()).rejects.toThrow(/holds no JSON/);
});

test('of many who put in the first value at once all get the same, and a value stays', async () => {
  secretsManager.create('first');
  const secrets = new Secrets(secretsManagerClient(local(secretsManager.url)));
  expect(await secrets.read('first')).toBeUndefined();
  const got = await Promise.all([1, 2, 3, 4, 5].map((text) => secrets.readOrPut('first', () => `text-${text}`)));
  expect(new Set(got).size).toBe(1);
  expect(await secrets.readOrPut('first', () => 'later')).toBe(got[0]);
  expect(await secrets.read('first')).toBe(got[0]);
});

test('an empty text is no value', async () => {
  secretsManager.create('empty');
  const client = secretsManagerClient(local(secretsManager.url));
  const nothing = { SecretId: 'empty', SecretString: '', ClientRequestToken: '0'.repeat(32) };
  await client.send(new PutSecretValueCommand(nothing));
  const secrets = new Secrets(client);
  expect(await secrets.read('empty')).toBeUndefined();
  expect(await secrets.readOrPut('empty', () => 'first')).toBe('first');
  expect(await secrets.read('empty')).toBe('first');
});

test(
  'a secret that is not there is told apart from one without a value when something is put into it',
  async () => {
    const secrets = new Secrets(secretsManagerClient(local(secretsManager.url)));
    const put = secrets.readOrPut('missing', () => 'text');
    await expect(put).rejects.toBeInstanceOf(Failure);
    await expect(put).rejects.not.toThrow(/text/);
  },
  10 * SECOND_MS,
);
