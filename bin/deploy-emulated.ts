import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadConfig } from '../lib/config.ts';
import { adapt, synthesize, typesOf } from './emulated/assembly.ts';
import { bootstrap, deployAll, type StackDeployed, type Target } from './emulated/deploy.ts';
import { Emulator, findOnPath } from './emulated/emulator.ts';
import { predictAsTenant, pushSample } from './emulated/predict.ts';
import { operatorOf, startWorker } from './emulated/region.ts';
import { describeAdapted, describeStacks, describeTour, isAsExpected } from './emulated/report.ts';
import { openLive } from './live.ts';
import { paint } from './table.ts';

/*
 * `npm run deploy:emulated`: deploys the region of `config/emulated.json` to `ministack` with the CDK CLI as it is, and predicts
 * through what came of it. Exit code 0 also where that cannot be, with the reason said; else 1 for whatever went wrong.
 * `--keep` leaves all running until Ctrl-C.
 */

const CONFIG = join(import.meta.dirname, '..', 'config', 'emulated.json');
const live = openLive(process.stderr);

type Run = { readonly ministack: string; readonly scratch: string; readonly signal: AbortSignal };

/** Adds to `ends` how to end what it has started. */
async function run({ ministack, scratch, signal }: Run, ends: (() => Promise<void>)[]): Promise<void> {
  const config = loadConfig(CONFIG);
  live.doing('starting ministack');
  const emulator = await Emulator.start(ministack, join(scratch, 'ministack'), signal);
  ends.push(() => emulator.stop());
  live.line(`ministack ${await emulator.version()} at ${emulator.endpoint}`);
  live.doing('synthesizing');
  const assembly = await synthesize(config, scratch);
  const adapted = await adapt(assembly, await emulator.unknownTypes(await typesOf(assembly)));
  live.end();
  console.log(describeAdapted(adapted));
  const { awsRegion } = config.regions[config.primary]!;
  const target: Target = { endpoint: emulator.endpoint, account: config.account, awsRegion, folder: scratch, signal };
  const operator = await operatorOf(target, config, await deploy(target, assembly.folder, adapted.deployed));
  live.doing('starting a worker');
  const worker = await startWorker(target, config);
  ends.push(() => worker.stop());
  await pushSample(operator, live);
  live.doing('predicting');
  const tour = await predictAsTenant(operator);
  live.end();
  console.log(describeTour(tour));
  if (!tour.steps.every(isAsExpected)) throw new Error('not all answers were as they should be');
}

async function deploy(target: Target, assembly: string, resources: Readonly<Record<string, number>>) {
  live.doing('cdk bootstrap');
  await bootstrap(target);
  live.doing('cdk deploy --all');
  const stacks: StackDeployed[] = [];
  try {
    return await deployAll(target, assembly, (stack) => {
      stacks.push(stack);
      live.doing(`cdk deploy --all: ${stack.stack} ${stack.outcome}`);
    });
  } finally {
    live.end();
    console.log(describeStacks(resources, stacks));
  }
}

async function runToEnd(ministack: string): Promise<void> {
  const told = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => told.abort());
  const stopped = new Promise<never>((_, reject) => {
    told.signal.addEventListener('abort', () => reject(new Error('told to stop')));
  });
  const scratch = await mkdtemp(join(tmpdir(), 'sluice-emulated-'));
  const ends: (() => Promise<void>)[] = [];
  try {
    await Promise.race([run({ ministack, scratch, signal: told.signal }, ends), stopped]);
    if (process.argv.includes('--keep')) {
      console.log('All of it runs until Ctrl-C.');
      await stopped.catch(() => {});
    }
  } catch (error) {
    live.end();
    console.error(paint('red', error instanceof Error ? error.message : String(error)));
    process.exitCode = 1;
  } finally {
    for (const end of ends.reverse()) await end();
    // What functions of an emulator that was killed still write.
    await rm(scratch, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 });
  }
}

const ministack = await findOnPath('ministack', process.env.PATH ?? '');
if (process.platform !== 'linux') {
  console.log('deploy:emulated is skipped: functions that run models have the libraries of Linux.');
} else if (ministack === undefined) {
  console.log('deploy:emulated is skipped: no `ministack` on PATH. `pip install ministack` brings it.');
} else {
  await runToEnd(ministack);
  process.exit();
}
