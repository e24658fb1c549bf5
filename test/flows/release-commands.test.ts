import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ReleaseAuditJson, ReleaseJson, ReleaseStartedJson } from '../../core/api/release-json.ts';
import { constantAnswer } from '../support/bad-models.ts';
import { type CommandResult, sluice } from '../support/command-line.ts';
import type { ApiClient } from '../support/http-client.ts';
import { withManifest } from '../support/push-model.ts';
import { type RunningPlatform, startRunning } from '../support/running-platform.ts';

let running: RunningPlatform;
let operator: ApiClient;
let folder: string;

beforeAll(async () => {
  const version = (value: number) => withManifest(constantAnswer(value), { name: 'm' });
  running = await startRunning({ models: [version(1), version(2)], runners: 1 });
  operator = await running.addKey(undefined);
  folder = mkdtempSync(join(tmpdir(), 'sluice-plans-'));
});

afterAll(async () => {
  await running.end();
  rmSync(folder, { recursive: true });
});

const release = (...args: string[]): Promise<CommandResult> => sluice(['release', ...args], operator);

async function json<T>(...args: string[]): Promise<T> {
  const { code, stdout, stderr } = await release(...args, '--json');
  expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' });
  return JSON.parse(stdout) as T;
}

function planFile(plan: unknown): string {
  const file = join(folder, 'plan.json');
  writeFileSync(file, JSON.stringify(plan));
  return file;
}

test('a release is started by a plan, steered by name or id, watched to its end, and told of', async () => {
  const plan = planFile({ steps: [{ gate: {} }, { setWeight: 100 }] });
  const started = await json<ReleaseStartedJson>(
    'start',
    'm',
    '2',
    '--plan',
    plan,
    '--reason',
    'better',
    '--once',
    'a',
  );
  expect(started).toMatchObject({ state: 'gated', golden: 'answers 0 of 1 golden inputs as version 1 does' });
  expect(await json('start', 'm', '2', '--plan', plan, '--once', 'a')).toMatchObject({ id: started.id });

  const list = await release('list', 'm');
  expect(list.stdout).toContain(started.id);
  expect(list.stdout).toContain('step 1 of 2 waits for people: 0 of 1 have approved');
  const show = await release('show', 'm');
  expect(show.stdout).toContain('▸ a person approves');
  expect(show.stdout).toContain('· 100 %');

  expect((await release('pause', 'm', '--reason', 'lunch')).stdout).toContain('paused at step 1 of 2');
  expect((await release('pause', started.id)).stdout).toContain('it was so already: paused');
  const refused = await release('promote', 'm', '--full');
  expect(refused).toMatchObject({ code: 1, stdout: '' });
  expect(refused.stderr).toContain('release-verb-refused');
  expect(refused.stderr).toContain('it cannot be promoted to everybody while paused');
  expect(await json<ReleaseJson>('resume', 'm')).toMatchObject({ state: 'gated' });

  const watching = release('watch', 'm');
  expect((await release('abort', 'm', '--reason', 'a bad feeling')).stdout).toContain('rolled back to version 1');
  const watched = await watching;
  expect(watched.code).toBe(1);
  expect(watched.stdout).toContain('rolled back to version 1: a bad feeling');

  const audits = await json<ReleaseAuditJson[]>('audits', 'm');
  expect(audits.map(({ what, why }) => `${what}: ${why}`)).toEqual([
    'compared on golden pairs: answers 0 of 1 golden inputs as version 1 does',
    'gate of step 1 waits: better',
    'paused: lunch',
    'resumed: given at the command line',
    'rolled back: a bad feeling',
  ]);
  expect((await release('audits', 'm')).stdout).toContain('a bad feeling');
  expect(await json('retry', 'm')).toMatchObject({ state: 'gated', attempt: 2 });
  expect(await json('undo', 'm', '--to', '1')).toMatchObject({ state: 'rolled-back' });
});

test('every problem of a plan is told, and what is not there', async () => {
  const wrong = await release('start', 'm', '2', '--plan', planFile({ steps: [{ setWeight: 5, sunday: true }] }));
  expect(wrong.code).toBe(1);
  expect(wrong.stderr).toContain('release-plan-invalid');
  expect(wrong.stderr).toContain('- steps.0.sunday: there is no such key');
  expect(wrong.stderr).toContain('- steps.0: the last step is setWeight: 100');
  writeFileSync(join(folder, 'text.json'), 'no plan');
  expect((await release('start', 'm', '2', '--plan', join(folder, 'text.json'))).stderr).toContain(
    'cannot be read as JSON',
  );
  expect((await release('show', 'unheard-of')).stderr).toContain('model-unknown');
  expect((await release('abort', `rel_${'0'.repeat(32)}`)).stderr).toContain('release-unknown');
});

test('who is told of releases is added, listed without its secret, and removed', async () => {
  const url = 'http://127.0.0.1:9/hook';
  const [added] = await json<readonly { id: string; secret: string }[]>('notify', url);
  expect(added).toMatchObject({ id: expect.stringMatching(/^wh_/), secret: expect.stringMatching(/^whsec_/) });
  const listed = (await release('notified')).stdout;
  expect(listed).toContain(`${added!.id} │ ${url}`);
  expect(listed).not.toContain(added!.secret);
  expect((await release('unnotify', added!.id)).stdout).toBe(`removed ${added!.id}\n`);
  expect(await json('notified')).toEqual([]);
  expect(await release('notify', 'ftp://example.com')).toMatchObject({ code: 1, stdout: '' });
});
