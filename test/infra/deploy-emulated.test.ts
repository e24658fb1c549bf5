import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { findOnPath } from '../../bin/emulated/emulator.ts';

const SCRIPT = join(import.meta.dirname, '..', '..', 'bin', 'deploy-emulated.ts');
/** A minute alone, several beside other tests. */
const DEPLOYED_WITHIN_MS = 600_000;

const ministack = process.platform === 'linux' ? await findOnPath('ministack', process.env.PATH ?? '') : undefined;
if (ministack === undefined) {
  console.log('no deployment to an emulator is tested: there is no `ministack` on PATH, or this is not Linux');
}

async function run(path: string) {
  const child = spawn(process.execPath, [SCRIPT], { env: { PATH: path }, stdio: ['ignore', 'pipe', 'pipe'] });
  const exit = new Promise<number | null>((resolve) => child.once('close', resolve));
  const [code, out, errors] = await Promise.all([exit, text(child.stdout), text(child.stderr)]);
  return { code, out, errors };
}

test('where there is no emulator the command says so and has not failed', async () => {
  const { code, out, errors } = await run('/nonexistent');
  expect(out).toMatch(/^deploy:emulated is skipped: .+\n$/);
  expect(errors).toBe('');
  expect(code).toBe(0);
});

test.skipIf(ministack === undefined)(
  'all stacks are deployed by the CDK CLI as it is, and the deployed API predicts',
  { timeout: DEPLOYED_WITHIN_MS },
  async () => {
    const { code, out, errors } = await run(process.env.PATH!);
    expect(code, `${out}\n${errors}`).toBe(0);
    for (const stack of [
      'foundation',
      'directory',
      'model-store',
      'data',
      'inference',
      'api',
      'observability',
      'release',
    ]) {
      expect(out).toMatch(new RegExp(`│ ${stack} .*│ deployed │`));
    }
    expect(out).not.toContain('not reached');
    expect(out).toMatch(/ok │ acme asks and waits +│ 200 positive/);
    expect(out).toMatch(/ok │ … and fetches the answer +│ 200 positive/);
    expect(out).toMatch(/^curl http:\/\/127\.0\.0\.1:\d+\//m);
  },
);
