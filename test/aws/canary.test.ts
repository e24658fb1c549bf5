import { execFile } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { secretsManagerClient } from '../../adapters/aws/clients.ts';
import { Secrets } from '../../adapters/aws/secrets.ts';
import { bundleCanary } from '../../lib/bundle.ts';
import { SecretsEmulator } from '../support/aws/secrets-emulator.ts';

vi.setConfig({ hookTimeout: 120_000, testTimeout: 60_000 });

const KEY = 'slk_us_sluice-canary.00000000_secret-that-nobody-may-read';
const BODY = { inputs: [{ name: 'x', shape: [1], datatype: 'FP32', data: [1] }] };

const root = mkdtempSync(join(tmpdir(), 'sluice-test-'));
const script = join(root, 'nodejs', 'node_modules', 'index.js');
const asked: { readonly path: string; readonly key: string | undefined; readonly body: string }[] = [];
/** Status by path, 200 where none is said. */
let statuses: Record<string, number> = {};

const server = createServer(async (request, response) => {
  const { url = '', headers } = request;
  asked.push({ path: url, key: headers.authorization, body: await textOf(request) });
  response.writeHead(statuses[url] ?? 200, { 'Content-Type': 'application/json' });
  response.end(JSON.stringify({ live: true, models: [], outputs: [{ name: 'y' }] }));
});
let secrets: SecretsEmulator;

beforeAll(async () => {
  Object.assign(process.env, { AWS_ACCESS_KEY_ID: 'local', AWS_SECRET_ACCESS_KEY: 'local' });
  await bundleCanary(root);
  secrets = await SecretsEmulator.start();
  secrets.create('canary');
  const client = secretsManagerClient({ region: 'us-east-1', endpoint: secrets.url });
  await new Secrets(client).readOrPut('canary', () => KEY);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
beforeEach(() => {
  asked.length = 0;
  statuses = {};
});
afterAll(async () => {
  server.close();
  await secrets?.stop();
  await rm(root, { recursive: true, force: true });
});

/** As CloudWatch Synthetics runs it; what it told. */
async function run(more: Record<string, string> = {}): Promise<{ readonly ok: boolean; readonly told: string }> {
  const env = {
    PATH: process.env.PATH ?? '',
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: 'local',
    AWS_SECRET_ACCESS_KEY: 'local',
    AWS_ENDPOINT_URL_SECRETS_MANAGER: secrets.url,
    SLUICE_REGION: 'us',
    SLUICE_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    SLUICE_CANARY_KEY_SECRET: 'canary',
    SLUICE_CHECKED_MODEL: 'm',
    SLUICE_CHECKED_BODY: JSON.stringify(BODY),
    ...more,
  };
  const program = `require(${JSON.stringify(script)}).handler().catch((e) => { console.log(e.message); process.exit(1); })`;
  try {
    const { stdout, stderr } = await promisify(execFile)(process.execPath, ['-e', program], { env });
    return { ok: true, told: stdout + stderr };
  } catch (error) {
    const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string };
    return { ok: false, told: stdout + stderr };
  }
}

test('asks through the public path with the key of its secret, alone in its folder, and is content with right answers', async () => {
  const { ok, told } = await run();
  expect(told).toBe('');
  expect(ok).toBe(true);
  expect(asked.map(({ path, key }) => [path, key])).toEqual([
    ['/v2/health/live', undefined],
    ['/v2/models', `Bearer ${KEY}`],
    ['/v2/models/m/infer', `Bearer ${KEY}`],
  ]);
  expect(JSON.parse(asked[2]!.body)).toEqual(BODY);
});

test('fails by a wrong status or none, says which check, and never the key', async () => {
  statuses = { '/v2/models/m/infer': 503 };
  expect(await run()).toMatchObject({ ok: false, told: expect.stringContaining('predict: 503') });
  const { ok, told } = await run({ SLUICE_URL: 'http://127.0.0.1:9' });
  expect(ok).toBe(false);
  expect(told).toContain('live: no answer, models: no answer, predict: no answer');
  expect(told).not.toContain('nobody-may-read');
});

test('asks for no prediction where no model is named, and fails where there is no key yet', async () => {
  expect((await run({ SLUICE_CHECKED_MODEL: '' })).ok).toBe(true);
  expect(asked).toHaveLength(2);
  secrets.create('empty');
  expect(await run({ SLUICE_CANARY_KEY_SECRET: 'empty' })).toMatchObject({
    ok: false,
    told: expect.stringContaining('`setup` has not run'),
  });
});

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = await Array.fromAsync(request);
  return Buffer.concat(chunks).toString();
}
