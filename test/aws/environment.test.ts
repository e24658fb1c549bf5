import { expect, test } from 'vitest';
import {
  HTTP_FUNCTIONS,
  MODEL_PACKAGES_VARIABLE_NAMES,
  queueUrls,
  REGION_VARIABLES,
  type RegionVariables,
  readEndpoints,
  readModelPackagesEnvironment,
  readRegionEnvironment,
  readSetupEnvironment,
  readWaitingEnvironment,
  readWatchEnvironment,
  readWorkerEnvironment,
  SETUP_VARIABLE_NAMES,
  STREAMED_FUNCTIONS,
  STREAMS,
  WORKER_VARIABLE_NAMES,
  type WorkerVariables,
} from '../../adapters/aws/environment.ts';
import { openValidationKey } from '../../adapters/aws/keys.ts';
import { ROUTES } from '../../core/api/routes.ts';

const REGION: RegionVariables = {
  SLUICE_DEPLOYMENT: 'prod',
  SLUICE_REGION: 'us',
  SLUICE_DIRECTORY_TABLE: 'directory',
  SLUICE_CONTROL_TABLE: 'control',
  SLUICE_JOBS_TABLE: 'jobs',
  SLUICE_LIMITS_TABLE: 'limits',
  SLUICE_DATA_KEYS_TABLE: 'data-keys',
  SLUICE_TELEMETRY_TABLE: 'telemetry',
  SLUICE_ARTIFACTS_BUCKET: 'artifacts',
  SLUICE_PAYLOADS_BUCKET: 'payloads',
  SLUICE_KEY_ID: 'key',
  SLUICE_QUEUES_URL: 'https://sqs.test/1/prod-',
  SLUICE_POOLS: 'default,gpu',
  SLUICE_BRIDGES: 'gpu=default',
  SLUICE_CLUSTER: 'cluster',
  SLUICE_SETTINGS_PARAMETER: '/prod/settings',
  SLUICE_SIGNING_KEY_SECRET: 'signing-key',
  SLUICE_USD_PER_COMPUTE_HOUR: '0.05',
  SLUICE_TRACES_URL: '',
  SLUICE_TRACES_SHARE: '0',
};
const WORKER: WorkerVariables = {
  SLUICE_POOL: 'gpu',
  SLUICE_PROVIDER: 'cuda',
  SLUICE_RUNNERS: '2',
  SLUICE_INTRA_OP_THREADS: '1',
  SLUICE_MEMORY_LIMIT_BYTES: '1000000',
  SLUICE_CACHE_FOLDER: '/cache',
  SLUICE_CACHE_BYTES: '2000000',
  SLUICE_PRELOAD: 'a,b',
  SLUICE_INSTANCE_TYPE: 'g5.xlarge',
  SLUICE_PURCHASE: 'mixed',
  SLUICE_PRICES: '{"g5.xlarge":{"on-demand":1,"spot":0.4,"mixed":0.7}}',
  SLUICE_METER_SECONDS: '60',
};

test('what the infrastructure sets comes out as the code takes it', () => {
  expect(readRegionEnvironment({ ...REGION, AWS_REGION: 'us-east-1' })).toEqual({
    deployment: 'prod',
    region: 'us',
    awsRegion: 'us-east-1',
    tables: {
      directory: 'directory',
      control: 'control',
      jobs: 'jobs',
      limits: 'limits',
      dataKeys: 'data-keys',
      telemetry: 'telemetry',
    },
    buckets: { artifacts: 'artifacts', payloads: 'payloads' },
    keyId: 'key',
    queuesUrl: 'https://sqs.test/1/prod-',
    pools: ['default', 'gpu'],
    bridges: { gpu: 'default' },
    cluster: 'cluster',
    settingsParameter: '/prod/settings',
    signingKeySecret: 'signing-key',
    usdPerComputeHour: 0.05,
    traces: undefined,
  });
  const traced = {
    ...REGION,
    SLUICE_TRACES_URL: 'http://collector.test:4318',
    SLUICE_TRACES_SHARE: '0.1',
    AWS_REGION: 'us-east-1',
  };
  expect(readRegionEnvironment(traced).traces).toEqual({ url: 'http://collector.test:4318', share: 0.1 });
  expect(readWorkerEnvironment(WORKER)).toMatchObject({
    pool: 'gpu',
    runners: 2,
    cacheBytes: 2_000_000,
    preload: ['a', 'b'],
  });
  expect(readModelPackagesEnvironment({ SLUICE_MODEL_PACKAGE_GROUPS: '' })).toEqual({
    groups: [],
    startsReleases: false,
  });
  const more = { SLUICE_MODEL_PACKAGE_GROUPS: 'a,b', SLUICE_START_PACKAGE_RELEASES: 'yes' };
  expect(readModelPackagesEnvironment(more)).toEqual({ groups: ['a', 'b'], startsReleases: true });
  expect(readSetupEnvironment({ SLUICE_OPERATOR_KEY_SECRET: 'key', SLUICE_CANARY_KEY_SECRET: 'canary' })).toEqual({
    operatorKeySecret: 'key',
    canaryKeySecret: 'canary',
  });
  const canary = { SLUICE_CANARY_KEY_SECRET: 'canary' };
  expect(readWatchEnvironment(canary)).toEqual({ canaryKeySecret: 'canary', checked: undefined, slo: 0.999 });
  const asking = { ...canary, SLUICE_CHECKED_MODEL: 'm', SLUICE_CHECKED_BODY: '{"inputs":[]}', SLUICE_SLO: '0.99' };
  expect(readWatchEnvironment(asking)).toMatchObject({ checked: { model: 'm', body: { inputs: [] } }, slo: 0.99 });
});

test('an environment without bridges and preloaded models has none', () => {
  expect(readRegionEnvironment({ ...REGION, SLUICE_BRIDGES: '', AWS_REGION: 'us-east-1' }).bridges).toEqual({});
  expect(readWorkerEnvironment({ ...WORKER, SLUICE_PRELOAD: '' }).preload).toEqual([]);
});

test('a function knows what is reserved for it, and of nothing where nothing is', () => {
  const reservedOf = (text: string | undefined) =>
    readWaitingEnvironment({ SLUICE_RESERVED_CONCURRENCY: text }).reservedConcurrency;
  expect([reservedOf('150'), reservedOf(''), reservedOf(undefined)]).toEqual([150, undefined, undefined]);
  for (const wrong of ['0', '-1', 'many']) expect(() => reservedOf(wrong)).toThrow(/SLUICE_RESERVED_CONCURRENCY/);
});

test('an environment with nothing in it is refused once, with every variable that must be there', () => {
  const messageOf = (read: () => unknown) => {
    try {
      read();
    } catch (error) {
      return (error as Error).message;
    }
    throw new Error('it was taken');
  };
  const required = [...REGION_VARIABLES, 'AWS_REGION'].filter((name) => !/BRIDGES|TRACES/.test(name));
  const region = messageOf(() => readRegionEnvironment({}));
  for (const name of required) expect(region).toContain(`${name}: `);
  const worker = messageOf(() => readWorkerEnvironment({}));
  for (const name of WORKER_VARIABLE_NAMES)
    if (!['SLUICE_PRELOAD', 'SLUICE_METER_SECONDS'].includes(name)) expect(worker).toContain(`${name}: `);
  const setup = messageOf(() => readSetupEnvironment({}));
  for (const name of SETUP_VARIABLE_NAMES) expect(setup).toContain(`${name}: `);
  const packages = messageOf(() => readModelPackagesEnvironment({}));
  const wanted = MODEL_PACKAGES_VARIABLE_NAMES.filter((name) => name !== 'SLUICE_START_PACKAGE_RELEASES');
  for (const name of wanted) expect(packages).toContain(`${name}: `);
  const wrong = { ...REGION, AWS_REGION: 'us-east-1', SLUICE_USD_PER_COMPUTE_HOUR: 'much', SLUICE_POOLS: '' };
  expect(messageOf(() => readRegionEnvironment(wrong))).toMatch(/SLUICE_POOLS.*SLUICE_USD_PER_COMPUTE_HOUR/);
});

test('a bridge that is no pair of pools is refused', () => {
  for (const bridges of ['gpu', 'gpu=', '=default', 'gpu=a=b', 'gpu=other', 'gpu=default,']) {
    expect(
      () => readRegionEnvironment({ ...REGION, SLUICE_BRIDGES: bridges, AWS_REGION: 'us-east-1' }),
      bridges,
    ).toThrow(/SLUICE_BRIDGES/);
  }
});

test('an emulator of one service comes before one of all, and without either there is none', () => {
  const both = readEndpoints({ AWS_ENDPOINT_URL: 'http://all', AWS_ENDPOINT_URL_SECRETS_MANAGER: 'http://secrets' });
  expect(both).toMatchObject({ dynamo: 'http://all', secretsManager: 'http://secrets' });
  expect(Object.values(readEndpoints({}))).toEqual(Array(8).fill(undefined));
});

test('every lane of every pool has a queue and dead letters, each of its own', () => {
  const queues = queueUrls({ queuesUrl: 'https://sqs.test/1/prod-', pools: ['default', 'gpu'] });
  const urls = Object.values(queues).flatMap((lanes) =>
    Object.values(lanes).flatMap(({ url, deadLetterUrl }) => [url, deadLetterUrl]),
  );
  expect(urls).toContain('https://sqs.test/1/prod-gpu-bulk-dead');
  expect(new Set(urls).size).toBe(8);
});

test('every endpoint is served by one function, and what may be large is streamed', () => {
  const served = Object.values(HTTP_FUNCTIONS).flat();
  expect([...served].sort()).toEqual(ROUTES.map(({ id }) => id).sort());
  for (const [name, ids] of Object.entries(HTTP_FUNCTIONS)) {
    const large = ids.some((id) => /infer|prediction-read/.test(id));
    expect(STREAMED_FUNCTIONS.has(name as 'infer'), name).toBe(large);
  }
});

test('the stream of the control table wakes validation for open pushes alone', () => {
  const { pk } = openValidationKey(1, 'val_1');
  expect(STREAMS.validate.filters).toEqual([{ eventName: ['INSERT'], dynamodb: { Keys: { pk: { S: [pk] } } } }]);
});
