import { execFile } from 'node:child_process';
import { join } from 'node:path';
import type { CommandResult } from './command-line.ts';

const SLUICE = join(import.meta.dirname, '..', '..', 'bin', 'sluice.ts');

/** Runs `sluice` as where a platform with this data folder runs, without a key of its own: with its sample credentials. */
export function runSluiceBeside(dataFolder: string, ...args: readonly string[]): Promise<CommandResult> {
  const { SLUICE_URL: _, SLUICE_API_KEY: __, ...others } = process.env;
  const env = { ...others, NO_COLOR: '1', SLUICE_DATA: dataFolder };
  return new Promise((resolve) => {
    execFile(process.execPath, [SLUICE, ...args], { env }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code ?? -1), stdout, stderr });
    });
  });
}
