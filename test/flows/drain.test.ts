import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { descendantsOf } from '../../bin/descendants.ts';
import { slowModel } from '../support/bad-models.ts';
import { ApiClient, firstOutput, fourOf, int64s, texts } from '../support/http-client.ts';
import { expectProblem } from '../support/problems.ts';
import { isRunning } from '../support/processes.ts';
import { pushModel, withManifest } from '../support/push-model.ts';

const ROOT = join(import.meta.dirname, '..', '..');

type Credentials = {
  readonly tenants: readonly { tenant: string; region: string; url: string; apiKey: string }[];
  readonly operator: { readonly apiKey: string };
};

let folder: string;
let child: ChildProcess | undefined;
let output = '';

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-drain-'));
});

afterAll(async () => {
  if (child?.exitCode === null) {
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
  rmSync(folder, { recursive: true, force: true });
});

/** The first of two ports that are free now. */
async function twoFreePorts(): Promise<number> {
  for (;;) {
    const first = createServer().listen(0, '127.0.0.1');
    await once(first, 'listening');
    const port = (first.address() as { port: number }).port;
    const second = createServer().listen(port + 1, '127.0.0.1');
    const free = await once(second, 'listening').then(
      () => true,
      () => false,
    );
    first.close();
    second.close();
    if (free && port < 65_000) return port;
  }
}

async function start(port: number): Promise<void> {
  output = '';
  child = spawn(process.execPath, [join(ROOT, 'bin', 'sluice.ts'), 'start'], {
    cwd: ROOT,
    env: { ...process.env, SLUICE_DATA: folder, SLUICE_PORT: String(port) },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk) => (output += chunk));
  await vi.waitFor(() => expect(output).toContain('Ctrl-C'), { timeout: 30_000, interval: 50 });
}

function credentials(): Credentials {
  return JSON.parse(readFileSync(join(folder, 'sample-credentials.json'), 'utf8')) as Credentials;
}

function clientOf(tenant: string): ApiClient {
  const found = credentials().tenants.find((each) => each.tenant === tenant)!;
  return new ApiClient(found.url, found.apiKey);
}

test('a first start prints a curl that works, and SIGTERM answers who waits and keeps what was accepted', async () => {
  const port = await twoFreePorts();
  await start(port);
  const { tenants, operator } = credentials();
  expect(tenants.map(({ tenant, region }) => `${tenant} ${region}`)).toEqual(['acme us', 'initech us', 'globex eu']);
  expect(statSync(join(folder, 'sample-credentials.json')).mode & 0o777).toBe(0o600);
  const [, url, key, body] = /curl -s (\S+) -H 'Authorization: Bearer (\S+)' -d '(.*)'/.exec(output) ?? [];
  const pasted = await fetch(url!, { method: 'POST', headers: { authorization: `Bearer ${key}` }, body: body! });
  expect(pasted.status).toBe(200);
  expect(firstOutput(await clientOf('globex').infer('ticket-sentiment', texts('text', 'thanks')))).toHaveLength(1);

  const acme = clientOf('acme');
  const alone = withManifest(slowModel(), { batching: { maxRows: 1 }, timeoutMs: 60_000 });
  expect((await pushModel(new ApiClient(acme.url, operator.apiKey), alone)).status).toBe(200);
  // More than the runners can start at once: some run, some only wait.
  const accepted = await Promise.all(
    Array.from({ length: 8 }, (_, i) =>
      acme.infer('slow', int64s('rounds', 400 + i), { headers: { prefer: 'respond-async' } }),
    ),
  );
  const places = accepted.map((answer) => answer.header('location')!);
  const waiting = acme.infer('slow', int64s('rounds', 100));
  await vi.waitFor(async () => {
    const usage = (await acme.get('/control/v1/tenants/acme/usage')).json<{ in_flight: number }>();
    expect(usage.in_flight).toBeGreaterThan(8);
  });
  const runners = descendantsOf(child!.pid!);
  expect(runners.length).toBeGreaterThan(0);
  child!.kill('SIGTERM');
  expect(firstOutput(await waiting)).toEqual([100]);
  const [code] = (await once(child!, 'exit')) as [number | null];
  expect(code).toBe(0);
  await vi.waitFor(() => expect(runners.filter(isRunning)).toEqual([]), { timeout: 5000 });
  await expect(fetch(acme.url)).rejects.toThrow();

  await start(port);
  for (const [i, place] of places.entries()) {
    expect(firstOutput(await acme.result(place))).toEqual([400 + i]);
  }
  expect(credentials()).toEqual({ ...credentials(), tenants });
  expect(firstOutput(await acme.infer('row-sum', fourOf(1)))).toEqual([4]);
  expectProblem(await clientOf('initech').get(places[0]!), 'prediction-unknown');
  child!.kill('SIGINT');
  expect(await once(child!, 'exit')).toEqual([0, null]);
});
