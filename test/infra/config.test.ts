import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { loadConfig, parseConfig } from '../../lib/config.ts';
import { EXAMPLE } from './support/synthesized.ts';

type Json = { [key: string]: unknown } & Record<string, never>;
// biome-ignore lint/suspicious/noExplicitAny: a tree that is damaged on purpose.
type Damaged = any;

function example(change: (config: Damaged) => void = () => {}): Json {
  const config = JSON.parse(readFileSync(EXAMPLE, 'utf8'));
  change(config);
  return config;
}

function problemsOf(change: (config: Damaged) => void): readonly string[] {
  try {
    parseConfig(example(change));
    return [];
  } catch (error) {
    return (error as Error).message
      .split('\n')
      .slice(1)
      .map((line) => line.trim());
  }
}

/** Each field made wrong, and the path that is told. */
const WRONG: readonly (readonly [path: string, change: (config: Damaged) => void])[] = [
  ['deployment', (c) => (c.deployment = 'Prod')],
  ['deployment', (c) => (c.deployment = 'a-name-too-long')],
  ['account', (c) => (c.account = '12345')],
  ['primary', (c) => (c.primary = 'ap')],
  ['crossStackReferences', (c) => (c.crossStackReferences = 'both')],
  ['crossStackReferences', (c) => (c.crossStackReferences = 'strong')],
  ['compute', (c) => (c.compute = 'fargate')],
  ['alarmEmails', (c) => (c.alarmEmails = [])],
  ['alarmEmails.0', (c) => (c.alarmEmails = ['nobody'])],
  ['runbookUrl', (c) => (c.runbookUrl = 'http://example.com')],
  ['retention.logDays', (c) => (c.retention.logDays = 31)],
  ['retention.tableRecoveryDays', (c) => (c.retention.tableRecoveryDays = 36)],
  ['corsOrigins.0', (c) => (c.corsOrigins = ['app.example.com'])],
  ['logLevel', (c) => (c.logLevel = 'loud')],
  ['usdPerComputeHour', (c) => (c.usdPerComputeHour = 0)],
  ['api.requestsPerSecond', (c) => (c.api.requestsPerSecond = 0)],
  ['api.burst', (c) => delete c.api.burst],
  ['api.requestsPerFiveMinutesPerAddress', (c) => (c.api.requestsPerFiveMinutesPerAddress = 9)],
  ['api.perAddress', (c) => (c.api.perAddress = 20_000)],
  ['reservedConcurrency.infer', (c) => (c.reservedConcurrency.infer = 0)],
  ['reservedConcurrency.guess', (c) => (c.reservedConcurrency.guess = 1)],
  ['sagemaker.modelPackageGroups.0', (c) => (c.sagemaker.modelPackageGroups = ['a group'])],
  ['sagemaker.modelBuckets.0', (c) => (c.sagemaker.modelBuckets = ['s3://models'])],
  ['surprise', (c) => (c.surprise = 1)],
  ['regions.US', (c) => (c.regions.US = c.regions.eu)],
  ['regions.us.awsRegion', (c) => (c.regions.us.awsRegion = 'virginia')],
  ['regions.eu.awsRegion', (c) => Object.assign(c.regions.eu, { ...c.regions.us, domain: undefined })],
  ['regions.us.availabilityZones', (c) => (c.regions.us.availabilityZones = ['us-east-1a'])],
  ['regions.us.availabilityZones.1', (c) => (c.regions.us.availabilityZones[1] = 'eu-central-1a')],
  ['regions.us.cidr', (c) => (c.regions.us.cidr = '10.0.0.0')],
  ['regions.us.cidr', (c) => (c.regions.us.cidr = '10.20.0.0/20')],
  ['regions.us.domain.name', (c) => (c.regions.us.domain.name = 'https://us.api.example.com')],
  ['regions.us.domain.certificateArn', (c) => (c.regions.us.domain.certificateArn = 'certificate')],
  [
    'regions.eu.domain.certificateArn',
    (c) => (c.regions.eu.domain.certificateArn = c.regions.us.domain.certificateArn),
  ],
  ['regions.us.domain.hostedZone.id', (c) => (c.regions.us.domain.hostedZone.id = '')],
  ['regions.us.url', (c) => (c.regions.us.url = 'https://us.example.com')],
  ['regions.us.pools.default', (c) => delete c.regions.us.pools.default],
  ['regions.us.pools.Big', (c) => (c.regions.us.pools.Big = c.regions.us.pools.cpu)],
  ['regions.us.pools.default.kind', (c) => (c.regions.us.pools.default.kind = 'tpu')],
  ['regions.us.pools.default.instanceTypes.0', (c) => (c.regions.us.pools.default.instanceTypes = ['large'])],
  ['regions.us.pools.default.instanceTypes', (c) => (c.regions.us.pools.default.instanceTypes = [])],
  ['regions.us.pools.default.onDemandBase', (c) => (c.regions.us.pools.default.onDemandBase = -1)],
  ['regions.us.pools.default.spotPercent', (c) => (c.regions.us.pools.default.spotPercent = 101)],
  ['regions.us.pools.default.minTasks', (c) => (c.regions.us.pools.default.minTasks = 9)],
  ['regions.us.pools.default.maxTasks', (c) => (c.regions.us.pools.default.maxTasks = 0)],
  [
    'regions.us.pools.default.scheduledMinimums.0.cron',
    (c) => (c.regions.us.pools.default.scheduledMinimums[0].cron = '0 7 * * *'),
  ],
  [
    'regions.us.pools.default.scheduledMinimums.0.timeZone',
    (c) => (c.regions.us.pools.default.scheduledMinimums[0].timeZone = 'Mars'),
  ],
  [
    'regions.us.pools.default.scheduledMinimums.0.minTasks',
    (c) => (c.regions.us.pools.default.scheduledMinimums[0].minTasks = 99),
  ],
  ['regions.us.pools.default.bridge', (c) => (c.regions.us.pools.default.bridge = 'gone')],
  ['regions.us.pools.default.bridge', (c) => (c.regions.us.pools.cpu.minTasks = 0)],
  ['regions.us.pools.default.modelMemoryMib', (c) => (c.regions.us.pools.default.modelMemoryMib = 20_000)],
  ['regions.us.pools.default.vcpu', (c) => (c.regions.us.pools.default.vcpu = 4)],
  ['regions.us.pools.cpu.vcpu', (c) => (c.regions.us.pools.cpu.vcpu = 3)],
  ['regions.us.pools.cpu.memoryMib', (c) => (c.regions.us.pools.cpu.memoryMib = 40_960)],
  ['regions.us.pools.cpu.architecture', (c) => (c.regions.us.pools.cpu.architecture = 'riscv')],
  ['regions.us.pools.cpu.runners', (c) => (c.regions.us.pools.cpu.runners = 0)],
  ['regions.us.pools.cpu.cacheGib', (c) => (c.regions.us.pools.cpu.cacheGib = 1.5)],
  ['regions.us.pools.acme.tenant', (c) => (c.regions.us.pools.acme.tenant = 'ACME Inc.')],
];

test('the example is valid', () => {
  expect(() => loadConfig(EXAMPLE)).not.toThrow();
});

test('one address may send two fifths of what a region takes, or what is written', () => {
  expect(parseConfig(example()).api).toEqual({
    requestsPerSecond: 5000,
    burst: 10_000,
    requestsPerFiveMinutesPerAddress: 600_000,
  });
  const given = example((config) => (config.api.requestsPerFiveMinutesPerAddress = 20_000));
  expect(parseConfig(given).api.requestsPerFiveMinutesPerAddress).toBe(20_000);
});

test.each(WRONG)('a wrong %s is refused by its path (%#)', (path, change) => {
  expect(problemsOf(change).map((problem) => problem.slice(0, problem.indexOf(':')))).toContain(path);
});

test('all problems are told at once, contradictions beside wrong fields', () => {
  const problems = problemsOf((config) => {
    config.account = 'mine';
    config.primary = 'ap';
    config.regions.us.pools.cpu.minTasks = 0;
    config.regions.eu.awsRegion = 'europe';
  });
  expect(problems.map((problem) => problem.split(':', 1)[0])).toEqual([
    'account',
    'regions.eu.awsRegion',
    'primary',
    'regions.us.pools.default.bridge',
  ]);
});

test('a file that is missing or no JSON is named', () => {
  expect(() => loadConfig('/nowhere/prod.json')).toThrow(/\/nowhere\/prod\.json/);
  expect(() => loadConfig(import.meta.filename)).toThrow(/config\.test\.ts: .*JSON/);
});
