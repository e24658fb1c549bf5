import { PutSecretValueCommand } from '@aws-sdk/client-secrets-manager';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { secretsManagerClient } from '../../adapters/aws/clients.ts';
import { Secrets } from '../../adapters/aws/secrets.ts';
import { newSigningKey, parseSigningKey, type SigningKeySource } from '../../adapters/identity/signing-key.ts';
import type { Log } from '../../core/ports/log.ts';
import { MINUTE_MS, SECOND_MS } from '../../core/units.ts';
import { liveSigningKey } from '../../lambdas/entry/live-signing-key.ts';
import { localOptions } from '../support/aws/local-client.ts';
import { SecretsEmulator } from '../support/aws/secrets-emulator.ts';
import { ServiceProxy } from '../support/aws/service-proxy.ts';
import { SteppedClock } from '../support/aws/stepped-clock.ts';

const SECRET = 'signing-key';
const SEEN_WITHIN_MS = 5 * MINUTE_MS;

let emulator: SecretsEmulator;
let proxy: ServiceProxy;
let clock: SteppedClock;
let complaints: unknown[];
let source: SigningKeySource;

beforeEach(async () => {
  emulator = await SecretsEmulator.start();
  proxy = await ServiceProxy.start(emulator.url);
  clock = new SteppedClock();
  complaints = [];
  const log: Log = { debug() {}, info() {}, warn() {}, error: (_, error) => complaints.push(error) };
  const secrets = new Secrets(secretsManagerClient(localOptions(Number(new URL(proxy.url).port))));
  source = liveSigningKey({ secrets, secret: SECRET, clock, log });
  emulator.create(SECRET);
});
afterEach(async () => {
  proxy.stop();
  await emulator.stop();
});

/** Puts in a key as an operator does; returns its id. */
async function rotate(text?: string): Promise<string> {
  const key = text ?? (await newSigningKey());
  const client = secretsManagerClient(localOptions(Number(new URL(emulator.url).port)));
  await client.send(new PutSecretValueCommand({ SecretId: SECRET, SecretString: key }));
  client.destroy();
  return text === undefined ? (await parseSigningKey(key)).kid : '';
}

test('a rotated key is seen after five minutes, and nothing is read before', async () => {
  const first = await rotate();
  expect((await source()).kid).toBe(first);
  const second = await rotate();
  await clock.advance(SEEN_WITHIN_MS - 1);
  expect((await source()).kid).toBe(first);
  await clock.advance(1);
  const seen = await Promise.all([source(), source()]);
  expect(seen.map(({ kid }) => kid)).toEqual([second, second]);
  expect(complaints).toEqual([]);
});

test('a key that is no key leaves the last good one, which is logged without it, until it is mended', async () => {
  const first = await rotate();
  await source();
  await rotate('{"kty":"EC","d":"c2VjcmV0"}');
  await clock.advance(SEEN_WITHIN_MS);
  expect((await source()).kid).toBe(first);
  expect((await source()).kid).toBe(first);
  expect(complaints).toHaveLength(1);
  expect(String(complaints[0])).not.toContain('c2VjcmV0');
  const second = await rotate();
  await clock.advance(SEEN_WITHIN_MS);
  expect((await source()).kid).toBe(second);
});

test('a store that stalls holds a request up for a second at the most, and the last good key stays', async () => {
  const first = await rotate();
  await source();
  proxy.judge = () => new Promise(() => {});
  await clock.advance(SEEN_WITHIN_MS);
  const fromMs = performance.now();
  expect((await source()).kid).toBe(first);
  expect(performance.now() - fromMs).toBeLessThan(1.5 * SECOND_MS);
  expect(complaints).toHaveLength(1);
});

test('without a first key nothing can be signed, and the next who asks has it read again', async () => {
  await expect(source()).rejects.toThrow(/`setup` has not run/);
  const first = await rotate();
  expect((await source()).kid).toBe(first);
});
