import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Command } from 'commander';
import { JsonLog, type LogLevel } from '../../adapters/node/json-log.ts';
import { SystemClock } from '../../adapters/node/system-clock.ts';
import { ConsoleBuild } from '../../embedded/console/console-build.ts';
import { type EmbeddedPlatform, startPlatform } from '../../embedded/platform.ts';
import { ensureModels, ensureSampleTenants, type SampleCredentials } from '../../embedded/sample-data.ts';
import type { Pools } from '../../embedded/workers.ts';
import { ensureSampleModel } from '../../models/build.ts';
import { SAMPLE_MODELS, type SampleName } from '../../models/catalogue.ts';
import { basePort, collectPool, dataFolder, poolsFromEnvironment, tracesFromEnvironment } from '../options.ts';
import { progress } from '../output.ts';
import { paint } from '../table.ts';
import { runDemo } from './demo.ts';
import { runModelsDemo } from './demo-models.ts';
import { runReleaseDemo } from './demo-release.ts';

type StartOptions = {
  readonly host: string;
  readonly cors: readonly string[];
  readonly logLevel: LogLevel;
  readonly pool?: Pools;
  readonly webhooksToPrivate?: boolean;
  readonly withoutTelemetry?: boolean;
  readonly checks?: boolean;
  readonly console?: ConsoleBuild;
  /** Of data, in place of that of the environment. */
  readonly folder?: string;
};

const DEMO_MODELS: readonly SampleName[] = ['ticket-sentiment', 'row-sum', 'item-recommender'];
const STARTED_WITH: readonly SampleName[] = ['ticket-sentiment', 'row-sum'];

export function addStartCommands(program: Command): void {
  program
    .command('start')
    .description('run the platform on this machine: regions us and eu, sample tenants and models')
    .option('--host <address>', 'address to listen on', '127.0.0.1')
    .option('--cors <origins...>', 'origins whose browsers may call', [])
    .option(
      '--pool <name=runners>',
      'workers apart from others, for models and tenants that name the pool; once for each (SLUICE_POOLS=name=runners,…)',
      collectPool,
    )
    .option(
      '--webhooks-to-private',
      'development: post webhooks to http and private addresses too (SLUICE_WEBHOOKS_PRIVATE=1)',
    )
    .option('--no-checks', 'do not ask the regions once a minute as a caller would')
    .option('--without-telemetry', 'count, measure and watch nothing: only to find out what that costs')
    .option('--log-level <level>', 'debug, info, warn, error or silent', 'info')
    .action(start);
  program
    .command('demo [tour]')
    .description('start, show a tour (tenants, the default, models or release), and stop')
    .action(demo);
}

async function start(options: StartOptions): Promise<void> {
  const console = new ConsoleBuild(join(import.meta.dirname, '..', '..'), progress);
  const { platform, credentials } = await bringUp({ ...options, console }, STARTED_WITH);
  printWelcome(platform, credentials);
  // Once the platform is up: a build would take the processor from it.
  const built = console.prepare();
  await untilStopped();
  progress('draining');
  await console.stop();
  await Promise.all([built, platform.stop()]);
}

async function demo(tour = 'tenants'): Promise<void> {
  if (tour === 'tenants') await demoTenants();
  else if (tour === 'models') await demoModels();
  else if (tour === 'release') await demoRelease();
  else throw new Error(`There is no tour ${tour}: tenants, models or release.`);
}

async function demoModels(): Promise<void> {
  const { platform, credentials } = await bringUp({ host: '127.0.0.1', cors: [], logLevel: 'silent' }, DEMO_MODELS);
  try {
    const [sentiment = '', ...sound] = await Promise.all(DEMO_MODELS.map(sampleFolder));
    const operator = { url: platform.regions.us?.url ?? '', apiKey: credentials.operator.apiKey };
    if (!(await runModelsDemo({ credentials, operator, sentiment, sound }))) process.exitCode = 1;
  } finally {
    await platform.stop();
  }
}

/** In a folder of its own, so that every run begins with the first versions. */
async function demoRelease(): Promise<void> {
  const scratch = await mkdtemp(join(tmpdir(), 'sluice-demo-'));
  try {
    const sentiment = await sampleFolder('ticket-sentiment');
    const options = { host: '127.0.0.1', cors: [], logLevel: 'silent', folder: join(scratch, 'data') } as const;
    const { platform, credentials } = await bringUp(options, []);
    try {
      const operator = { url: platform.regions.us?.url ?? '', apiKey: credentials.operator.apiKey };
      const tour = { credentials, operator, sentiment, scratch: join(scratch, 'models') };
      if (!(await runReleaseDemo(tour))) process.exitCode = 1;
    } finally {
      await platform.stop();
    }
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

async function demoTenants(): Promise<void> {
  const everything = SAMPLE_MODELS.map((sample) => sample.name);
  const { platform, credentials } = await bringUp({ host: '127.0.0.1', cors: [], logLevel: 'warn' }, everything);
  try {
    const samples = SAMPLE_MODELS.map((sample) => ({ model: sample.name, body: sample.example }));
    if (!(await runDemo(credentials, samples))) process.exitCode = 1;
  } finally {
    await platform.stop();
  }
}

function sampleFolder(name: SampleName): Promise<string> {
  return ensureSampleModel(name, join('.cache', 'models'), progress);
}

async function bringUp(
  options: StartOptions,
  models: readonly SampleName[],
): Promise<{ platform: EmbeddedPlatform; credentials: SampleCredentials }> {
  const folder = options.folder ?? dataFolder();
  const port = basePort();
  const folders = [];
  for (const name of models) folders.push(await sampleFolder(name));
  const log = new JsonLog(process.stderr, new SystemClock(), options.logLevel);
  const platform = await startPlatform({
    dataFolder: folder,
    host: options.host,
    ports: { us: port, eu: port + 1 },
    corsOrigins: options.cors,
    ...(options.console && { console: options.console }),
    pools: options.pool ?? poolsFromEnvironment(),
    webhookReach: webhookReachOf(options),
    checks: options.checks ?? false,
    ...(options.withoutTelemetry ? { telemetry: 'off' as const } : tracesFromEnvironment()),
    log,
  });
  try {
    for (const region of Object.values(platform.regions)) await ensureModels(region, folders, progress);
    const credentials = await ensureSampleTenants(platform.regions, folder);
    return { platform, credentials };
  } catch (error) {
    await platform.stop();
    throw error;
  }
}

/** Whoever may add a webhook could otherwise make this machine talk to its own network. */
function webhookReachOf(options: StartOptions): 'public' | 'anywhere' {
  if (!options.webhooksToPrivate && process.env.SLUICE_WEBHOOKS_PRIVATE !== '1') return 'public';
  console.error(paint('yellow', 'webhooks are posted to http and private addresses too: not for production'));
  return 'anywhere';
}

/** Where everything is, and one request that works as pasted. */
function printWelcome(platform: EmbeddedPlatform, credentials: SampleCredentials): void {
  const acme = credentials.tenants.find((each) => each.tenant === 'acme');
  const body = JSON.stringify(SAMPLE_MODELS[0]?.example);
  const lines = [
    '',
    paint('bold', 'Sluice is running'),
    ...Object.entries(platform.regions).map(([name, region]) => `  region ${name}   ${region.url}`),
    `  console      ${Object.values(platform.regions)[0]?.url}/console (sign in with operator.apiKey of the API keys)`,
    `  API keys     ${join(dataFolder(), 'sample-credentials.json')}`,
    `  API          ${acme?.url}/openapi.json`,
    '',
    'Try:',
    '',
    `curl -s ${acme?.url}/v2/models/${SAMPLE_MODELS[0]?.name}/infer -H 'Authorization: Bearer ${acme?.apiKey}' -d '${body}'`,
    '',
    'Ctrl-C stops it; what was accepted is kept.',
  ];
  console.log(lines.join('\n'));
}

function untilStopped(): Promise<void> {
  return new Promise((resolve) => {
    process.once('SIGINT', () => resolve());
    process.once('SIGTERM', () => resolve());
  });
}
