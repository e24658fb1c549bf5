import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { endWithParent } from '../child.ts';
import { type Measurement, spread } from '../measurement.ts';
import { median } from '../statistics.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const CDK = join(ROOT, 'node_modules', 'aws-cdk', 'bin', 'cdk');
const CONFIG = 'config/example.json';
const BUDGET_S = 15;
const GIVE_UP_MS = 120_000;

export const synth: Measurement = {
  name: 'synth',
  summary: '`cdk synth` of the example configuration: bundles of all functions and workers, templates, rules',
  byDefault: true,
  async run(bench) {
    const { regions } = JSON.parse(readFileSync(join(ROOT, CONFIG), 'utf8')) as { readonly regions: object };
    const folder = join(bench.workFolder, 'synth');
    const seconds: number[] = [];
    for (let count = 0; count < (bench.quick ? 1 : 3); count += 1) seconds.push(await synthesize(folder));
    const templates = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) =>
      name.endsWith('.template.json'),
    );
    return [
      {
        what: `cdk synth of ${Object.keys(regions).length} regions, ${templates.length} templates`,
        budget: `median ≤ ${BUDGET_S} s`,
        measured: `${spread(seconds, median(seconds), 1)} s`,
        met: median(seconds) <= BUDGET_S,
        figures: { seconds, regions: Object.keys(regions), templates: templates.length },
      },
    ];
  },
};

async function synthesize(folder: string): Promise<number> {
  const startMs = performance.now();
  const args = [CDK, 'synth', '--quiet', '--output', folder, '--context', `config=${CONFIG}`];
  const child = spawn(process.execPath, args, {
    cwd: ROOT,
    // Offline: it looks nothing up.
    env: { ...process.env, AWS_ENDPOINT_URL: 'http://127.0.0.1:9', CDK_DISABLE_VERSION_CHECK: '1', CI: 'true' },
    stdio: ['ignore', 'ignore', 'pipe'],
    timeout: GIVE_UP_MS,
    killSignal: 'SIGKILL',
  });
  endWithParent(child);
  const [errors, [code]] = await Promise.all([text(child.stderr), once(child, 'close')]);
  if (code !== 0) throw new Error(`cdk synth ended with ${code}: ${errors.slice(-2_000)}`);
  return (performance.now() - startMs) / 1_000;
}
