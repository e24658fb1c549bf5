import { execFile } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '..', '..');

export type CommandResult = { readonly code: number; readonly stdout: string; readonly stderr: string };

/** Runs `sluice` with these arguments and an environment that knows of no platform but the one named. */
export function sluice(
  args: readonly string[],
  platform: { readonly url: string; readonly key: string | undefined },
): Promise<CommandResult> {
  return run(args, {
    PATH: process.env.PATH,
    HOME: tmpdir(),
    TMPDIR: tmpdir(),
    SLUICE_URL: platform.url,
    SLUICE_API_KEY: platform.key ?? '',
    SLUICE_DATA: join(tmpdir(), 'sluice-no-such-data'),
  });
}

/** Runs `sluice` as where a platform with this data folder runs, without a key of its own: with its sample credentials. */
export function sluiceBeside(dataFolder: string, ...args: readonly string[]): Promise<CommandResult> {
  const { SLUICE_URL: _, SLUICE_API_KEY: __, ...others } = process.env;
  return run(args, { ...others, NO_COLOR: '1', SLUICE_DATA: dataFolder });
}

function run(args: readonly string[], env: NodeJS.ProcessEnv): Promise<CommandResult> {
  return new Promise((resolve) => {
    const command = [join(ROOT, 'bin', 'sluice.ts'), ...args];
    execFile(process.execPath, command, { cwd: ROOT, env }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code ?? -1), stdout, stderr });
    });
  });
}
