import { spawnSync } from 'node:child_process';

/** Whether Debian's `prometheus` is installed here; why not is said once, where tests are left out for it. */
export const HAS_PROMTOOL = spawnSync('promtool', ['--version']).status === 0;
if (!HAS_PROMTOOL) console.log('left out: promtool is not there (apt-get install prometheus)');

/** Runs promtool on a text or on files; throws what it says if it finds fault. */
export function promtool(args: readonly string[], input?: string): string {
  const { status, stdout, stderr } = spawnSync('promtool', args, { input, encoding: 'utf8', timeout: 60_000 });
  if (status !== 0) throw new Error(`promtool ${args.join(' ')}\n${stdout}${stderr}`);
  return `${stdout}${stderr}`;
}
