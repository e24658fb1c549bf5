import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '..', '..');

export type CommandResult = { readonly code: number; readonly stdout: string; readonly stderr: string };

/** Runs `sluice` with these arguments and an environment that knows of no platform but the one named. */
export async function sluice(
  args: readonly string[],
  platform: { readonly url: string; readonly key: string | undefined },
): Promise<CommandResult> {
  const child = spawn(process.execPath, [join(ROOT, 'bin', 'sluice.ts'), ...args], {
    cwd: ROOT,
    env: {
      PATH: process.env.PATH,
      HOME: tmpdir(),
      TMPDIR: tmpdir(),
      SLUICE_URL: platform.url,
      SLUICE_API_KEY: platform.key ?? '',
      SLUICE_DATA: join(tmpdir(), 'sluice-no-such-data'),
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (chunk: Buffer) => {
    stdout += chunk.toString();
  });
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  const [code] = (await once(child, 'close')) as [number];
  return { code, stdout, stderr };
}
