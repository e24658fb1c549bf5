import { z } from 'zod';
import type { RouteId } from '../../core/api/routes.ts';
import { LANES, type Lane } from '../../core/inference/job.ts';
import { PURCHASES } from '../../core/ports/meters.ts';
import { OPEN_RELEASES, OPEN_VALIDATIONS } from './keys.ts';

/*
 * The one contract between the infrastructure (`lib/`) and the code that runs on it: which variables a process is given,
 * what queues and services are called, which function serves which endpoints. Strings here may be CDK tokens, so nothing
 * takes one apart.
 */

const name = z.string().min(1);
const names = z
  .string()
  .transform((text) => text.split(','))
  .pipe(z.array(name).min(1));
const count = z.coerce.number().int().min(1);

/** Variables of every process of a region, functions and workers alike. */
const VARIABLES = {
  /** Name of the deployment, such as `prod`: part of every physical name, so that two share an account. */
  SLUICE_DEPLOYMENT: name,
  /** The region as customers and API keys know it, such as `us`; AWS_REGION says where that is. */
  SLUICE_REGION: name,
  AWS_REGION: name,
  SLUICE_DIRECTORY_TABLE: name,
  SLUICE_CONTROL_TABLE: name,
  SLUICE_JOBS_TABLE: name,
  SLUICE_LIMITS_TABLE: name,
  SLUICE_DATA_KEYS_TABLE: name,
  SLUICE_TELEMETRY_TABLE: name,
  /** Model files: replicated to other regions, no tenant's data. */
  SLUICE_ARTIFACTS_BUCKET: name,
  /** Sealed payloads and uploads: never leaves the region. */
  SLUICE_PAYLOADS_BUCKET: name,
  /** The region's KMS key, by which data keys are wrapped. */
  SLUICE_KEY_ID: name,
  /** Beginning of every queue's URL; `queueName` is the rest. */
  SLUICE_QUEUES_URL: name,
  /** Worker pools, with a comma between; `default` is one of them. */
  SLUICE_POOLS: names,
  /** Pools that may take over from a cold one while it starts, as `cold=bridge`, with a comma between. */
  SLUICE_BRIDGES: z
    .string()
    .regex(/^([^,=]+=[^,=]+(,(?!$)|$))*$/, 'pairs of pools are wanted, as cold=bridge')
    .default(''),
  /** The ECS cluster whose services are the pools; '' where the cluster starts workers by itself (KEDA on EKS). */
  SLUICE_CLUSTER: z.string(),
  /** SSM parameter with the settings that change without a deployment: see `settings.ts`. */
  SLUICE_SETTINGS_PARAMETER: name,
  /** Secret with the private key that signs browser tokens: made without a value, which `setup` puts in. */
  SLUICE_SIGNING_KEY_SECRET: name,
  /** What an hour of one runner's compute costs, in US dollars. */
  SLUICE_USD_PER_COMPUTE_HOUR: z.coerce.number().positive(),
  /** Where an OpenTelemetry collector takes spans by OTLP over HTTP, without `/v1/traces`; '' where nothing is traced. */
  SLUICE_TRACES_URL: z.union([z.literal(''), z.url()]).default(''),
  /** 0 to 1: the share of requests of which spans are kept; of failures all are. */
  SLUICE_TRACES_SHARE: z.coerce.number().min(0).max(1).default(0.01),
} as const;

/** Variables of the function `setup` beside those. */
const SETUP_VARIABLES = {
  /** Secret that is to hold the text of the first key of an admin: made without a value. */
  SLUICE_OPERATOR_KEY_SECRET: name,
  /** Secret that is to hold the key of the canary tenant: made without a value. */
  SLUICE_CANARY_KEY_SECRET: name,
} as const;

/** Variables of the functions whose callers wait for predictions, beside those of every process. */
const WAITING_VARIABLES = {
  /** Invocations at once that the function keeps for itself, and at most; '' where it shares the account's. */
  SLUICE_RESERVED_CONCURRENCY: z
    .string()
    .regex(/^([1-9]\d*)?$/, 'a count is wanted')
    .default(''),
} as const;

/** Variables of the function `model-packages` beside those of every process. */
const MODEL_PACKAGES_VARIABLES = {
  /** Groups of the SageMaker Model Registry whose approved packages are pushed, with a comma between; '' for none. */
  SLUICE_MODEL_PACKAGE_GROUPS: z.string(),
  /** `yes`: a version that comes of one is released over the stable one. */
  SLUICE_START_PACKAGE_RELEASES: z.enum(['yes', 'no']).default('no'),
} as const;

/** Variables of the function `watch` beside those of every process. */
const WATCH_VARIABLES = {
  /** Secret with the key of the canary tenant, which `setup` puts in. */
  SLUICE_CANARY_KEY_SECRET: name,
  /** Model that checks ask for a prediction, and the body that they ask with, as JSON; '' for none. */
  SLUICE_CHECKED_MODEL: z.string().default(''),
  SLUICE_CHECKED_BODY: z.string().default(''),
  /** See `RegionConfig.slo`. */
  SLUICE_SLO: z.coerce.number().min(0.5).max(0.99999).default(0.999),
} as const;

/** Variables of the function `quality` beside those of every process. */
const QUALITY_VARIABLES = {
  /** Queue from which EventBridge is told of models; '' where nobody is to be told. */
  SLUICE_MODEL_EVENTS_QUEUE: z.string().default(''),
} as const;

/** Variables of a worker beside those of every process. */
const WORKER_VARIABLES = {
  SLUICE_POOL: name,
  SLUICE_PROVIDER: z.enum(['cpu', 'cuda']),
  SLUICE_RUNNERS: count,
  SLUICE_INTRA_OP_THREADS: count,
  /** Resident memory of all runners together beyond which models are evicted. */
  SLUICE_MEMORY_LIMIT_BYTES: count,
  /** A folder on the instance's own disk for model files, and how much of it. */
  SLUICE_CACHE_FOLDER: name,
  SLUICE_CACHE_BYTES: count,
  /** Models that are loaded before the first request, with a comma between. */
  SLUICE_PRELOAD: z.string().default(''),
  /** What it runs on, where its instance does not say it (`gpu-worker/instance.ts`), and how that is bought. */
  SLUICE_INSTANCE_TYPE: name,
  SLUICE_PURCHASE: z.enum(PURCHASES),
  /** What it may run on, in US dollars an hour, as JSON: `{"g5.xlarge":{"on-demand":1.006,"spot":0.42}}`. */
  SLUICE_PRICES: z
    .string()
    .transform((text, { addIssue }) => {
      try {
        return JSON.parse(text) as unknown;
      } catch {
        addIssue('JSON is wanted');
        return z.NEVER;
      }
    })
    .pipe(z.record(name, z.partialRecord(z.enum(PURCHASES), z.number().positive()))),
  /** How often what was computed for whom is saved. */
  SLUICE_METER_SECONDS: count.default(60),
} as const;

const regionSchema = z
  .object(VARIABLES)
  .superRefine(checkBridges)
  .transform((read) => ({
    deployment: read.SLUICE_DEPLOYMENT,
    region: read.SLUICE_REGION,
    awsRegion: read.AWS_REGION,
    tables: {
      directory: read.SLUICE_DIRECTORY_TABLE,
      control: read.SLUICE_CONTROL_TABLE,
      jobs: read.SLUICE_JOBS_TABLE,
      limits: read.SLUICE_LIMITS_TABLE,
      dataKeys: read.SLUICE_DATA_KEYS_TABLE,
      telemetry: read.SLUICE_TELEMETRY_TABLE,
    },
    buckets: { artifacts: read.SLUICE_ARTIFACTS_BUCKET, payloads: read.SLUICE_PAYLOADS_BUCKET },
    keyId: read.SLUICE_KEY_ID,
    queuesUrl: read.SLUICE_QUEUES_URL,
    pools: read.SLUICE_POOLS,
    bridges: bridgesOf(read.SLUICE_BRIDGES),
    cluster: read.SLUICE_CLUSTER,
    settingsParameter: read.SLUICE_SETTINGS_PARAMETER,
    signingKeySecret: read.SLUICE_SIGNING_KEY_SECRET,
    usdPerComputeHour: read.SLUICE_USD_PER_COMPUTE_HOUR,
    traces:
      read.SLUICE_TRACES_URL === '' ? undefined : { url: read.SLUICE_TRACES_URL, share: read.SLUICE_TRACES_SHARE },
  }));

const workerSchema = z.object(WORKER_VARIABLES).transform((read) => ({
  pool: read.SLUICE_POOL,
  provider: read.SLUICE_PROVIDER,
  runners: read.SLUICE_RUNNERS,
  intraOpThreads: read.SLUICE_INTRA_OP_THREADS,
  memoryLimitBytes: read.SLUICE_MEMORY_LIMIT_BYTES,
  cacheFolder: read.SLUICE_CACHE_FOLDER,
  cacheBytes: read.SLUICE_CACHE_BYTES,
  preload: read.SLUICE_PRELOAD === '' ? [] : read.SLUICE_PRELOAD.split(','),
  bought: { instanceType: read.SLUICE_INSTANCE_TYPE, purchase: read.SLUICE_PURCHASE },
  prices: read.SLUICE_PRICES,
  meterSeconds: read.SLUICE_METER_SECONDS,
}));

const setupSchema = z.object(SETUP_VARIABLES).transform((read) => ({
  operatorKeySecret: read.SLUICE_OPERATOR_KEY_SECRET,
  canaryKeySecret: read.SLUICE_CANARY_KEY_SECRET,
}));

const waitingSchema = z.object(WAITING_VARIABLES).transform(({ SLUICE_RESERVED_CONCURRENCY: reserved }) => ({
  reservedConcurrency: reserved === '' ? undefined : Number(reserved),
}));

const modelPackagesSchema = z.object(MODEL_PACKAGES_VARIABLES).transform((read) => ({
  groups: read.SLUICE_MODEL_PACKAGE_GROUPS === '' ? [] : read.SLUICE_MODEL_PACKAGE_GROUPS.split(','),
  startsReleases: read.SLUICE_START_PACKAGE_RELEASES === 'yes',
}));

const watchSchema = z.object(WATCH_VARIABLES).transform((read) => ({
  canaryKeySecret: read.SLUICE_CANARY_KEY_SECRET,
  checked:
    read.SLUICE_CHECKED_MODEL === ''
      ? undefined
      : { model: read.SLUICE_CHECKED_MODEL, body: JSON.parse(read.SLUICE_CHECKED_BODY) as object },
  slo: read.SLUICE_SLO,
}));

const qualitySchema = z
  .object(QUALITY_VARIABLES)
  .transform(({ SLUICE_MODEL_EVENTS_QUEUE: eventsQueue }) => ({ eventsQueue }));

/** What a process of a region is told. */
export type RegionEnvironment = z.output<typeof regionSchema>;
/** What a worker is told beside that. */
export type WorkerEnvironment = z.output<typeof workerSchema>;

/** What `setup` is told beside what every process is. */
export type SetupEnvironment = z.output<typeof setupSchema>;

/** What `model-packages` is told beside what every process is. */
export type ModelPackagesEnvironment = z.output<typeof modelPackagesSchema>;

/** What functions whose callers wait are told beside what every process is. */
export type WaitingEnvironment = z.output<typeof waitingSchema>;

/** What `watch` is told beside what every process is. */
export type WatchEnvironment = z.output<typeof watchSchema>;

/** What `quality` is told beside what every process is. */
export type QualityEnvironment = z.output<typeof qualitySchema>;

/** What the infrastructure sets: every variable by name, but those that Lambda and ECS set themselves. */
export type RegionVariables = { readonly [Name in Exclude<keyof typeof VARIABLES, 'AWS_REGION'>]: string };
export type SetupVariables = { readonly [Name in keyof typeof SETUP_VARIABLES]: string };
export type WaitingVariables = { readonly [Name in keyof typeof WAITING_VARIABLES]: string };
export type WatchVariables = { readonly [Name in keyof typeof WATCH_VARIABLES]: string };
export type QualityVariables = { readonly [Name in keyof typeof QUALITY_VARIABLES]: string };
export type ModelPackagesVariables = { readonly [Name in keyof typeof MODEL_PACKAGES_VARIABLES]: string };
export type WorkerVariables = { readonly [Name in keyof typeof WORKER_VARIABLES]: string };

export const REGION_VARIABLES = Object.keys(VARIABLES).filter((variable) => variable !== 'AWS_REGION');
export const WORKER_VARIABLE_NAMES = Object.keys(WORKER_VARIABLES);
export const SETUP_VARIABLE_NAMES = Object.keys(SETUP_VARIABLES);
export const WAITING_VARIABLE_NAMES = Object.keys(WAITING_VARIABLES);
export const WATCH_VARIABLE_NAMES = Object.keys(WATCH_VARIABLES);
export const QUALITY_VARIABLE_NAMES = Object.keys(QUALITY_VARIABLES);
export const MODEL_PACKAGES_VARIABLE_NAMES = Object.keys(MODEL_PACKAGES_VARIABLES);

type Variables = Readonly<Record<string, string | undefined>>;

/** Throws one error that lists every variable that is missing or wrong. */
export function readRegionEnvironment(variables: Variables): RegionEnvironment {
  return read(regionSchema, variables);
}

/** Throws one error that lists every variable that is missing or wrong. */
export function readWorkerEnvironment(variables: Variables): WorkerEnvironment {
  return read(workerSchema, variables);
}

/** Throws one error that lists every variable that is missing or wrong. */
export function readSetupEnvironment(variables: Variables): SetupEnvironment {
  return read(setupSchema, variables);
}

/** Throws one error that lists every variable that is wrong. */
export function readWaitingEnvironment(variables: Variables): WaitingEnvironment {
  return read(waitingSchema, variables);
}

/** Throws one error that lists every variable that is missing or wrong. */
export function readModelPackagesEnvironment(variables: Variables): ModelPackagesEnvironment {
  return read(modelPackagesSchema, variables);
}

/** Throws one error that lists every variable that is missing or wrong. */
export function readWatchEnvironment(variables: Variables): WatchEnvironment {
  return read(watchSchema, variables);
}

/** Throws one error that lists every variable that is wrong. */
export function readQualityEnvironment(variables: Variables): QualityEnvironment {
  return read(qualitySchema, variables);
}

/** Services as the AWS SDK's own variables name them. */
const SERVICES = {
  dynamo: 'DYNAMODB',
  kms: 'KMS',
  s3: 'S3',
  sqs: 'SQS',
  ssm: 'SSM',
  secretsManager: 'SECRETS_MANAGER',
  ecs: 'ECS',
  sagemaker: 'SAGEMAKER',
} as const;

/** Where emulators of services are; AWS itself where there is none. */
export type Endpoints = { readonly [Service in keyof typeof SERVICES]: string | undefined };

/** From AWS_ENDPOINT_URL_S3 and so on, else AWS_ENDPOINT_URL: the SDK's own variables, which a deployment does not set. */
export function readEndpoints(variables: Variables): Endpoints {
  const endpoints = Object.entries(SERVICES).map(([service, name]) => [
    service,
    variables[`AWS_ENDPOINT_URL_${name}`] || variables.AWS_ENDPOINT_URL || undefined,
  ]);
  return Object.fromEntries(endpoints) as Endpoints;
}

function read<T>(schema: z.ZodType<T>, variables: Variables): T {
  const { success, data, error } = schema.safeParse(variables);
  if (success) return data;
  const problems = error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
  throw new Error(`the environment is not as the deployment should have set it: ${problems.join('; ')}`);
}

function checkBridges(
  { SLUICE_POOLS: pools, SLUICE_BRIDGES: bridges }: { SLUICE_POOLS: readonly string[]; SLUICE_BRIDGES: string },
  { addIssue }: z.RefinementCtx,
): void {
  const unknown = Object.entries(bridgesOf(bridges))
    .flat()
    .filter((pool) => !pools.includes(pool));
  if (unknown.length > 0)
    addIssue({ code: 'custom', path: ['SLUICE_BRIDGES'], message: `no pools: ${unknown.join(', ')}` });
}

function bridgesOf(text: string): Readonly<Record<string, string>> {
  if (text === '') return {};
  return Object.fromEntries(text.split(',').map((bridge) => bridge.split('=') as [string, string]));
}

/** In a worker's cache folder: its instance's user data writes there what it runs on, as a task may not ask the instance itself. */
export const INSTANCE_FILE = 'instance.json';

/** Of a pool's queue, its dead letters with `dead`: at most 80 characters, as SQS wants it. */
export function queueName(pool: string, lane: Lane, dead?: 'dead'): string {
  return `${pool}-${lane}${dead === undefined ? '' : '-dead'}`;
}

/** The ECS service whose tasks are a pool's workers. */
export function serviceName(deployment: string, pool: string): string {
  return `${deployment}-${pool}`;
}

/** The queues of every pool of a region, as `AwsJobQueue` takes them. */
export function queueUrls({ queuesUrl, pools }: Pick<RegionEnvironment, 'queuesUrl' | 'pools'>) {
  const ofLane = (pool: string, lane: Lane) => ({
    url: `${queuesUrl}${queueName(pool, lane)}`,
    deadLetterUrl: `${queuesUrl}${queueName(pool, lane, 'dead')}`,
  });
  const ofPool = (pool: string) =>
    Object.fromEntries(LANES.map((lane) => [lane, ofLane(pool, lane)])) as Record<Lane, ReturnType<typeof ofLane>>;
  return Object.fromEntries(pools.map((pool) => [pool, ofPool(pool)]));
}

/*
 * Deployed functions that answer HTTP, and the endpoints of each: together all of the table, each once. They are apart where
 * what they may touch or how long they run differs. HEAD of an endpoint goes where its GET goes. `catalogue` also answers ANY
 * other method of every path of the table, OPTIONS among them, and ANY of `/` and `/{proxy+}`, so that what no endpoint takes
 * is refused in our words. Every body comes in base64: all media types are binary.
 * `control`, `replay`, `validate` and `model-packages` keep model files in `/tmp`, half of it at the most.
 */
export const HTTP_FUNCTIONS = {
  /** What puts jobs into queues: a dead letter that is run again is one. */
  infer: ['infer', 'version-infer', 'dead-letter-redrive'],
  predictions: ['prediction-read', 'prediction-cancel', 'feedback-give'],
  catalogue: [
    'server-metadata',
    'server-live',
    'server-ready',
    'model-list',
    'model-metadata',
    'version-metadata',
    'model-ready',
    'version-ready',
    'openapi',
  ],
  /** Run models, so it has onnxruntime beside it: a release starts with a comparison on golden pairs. */
  replay: ['model-replay', 'release-start'],
  control: [
    'tenant-create',
    'tenant-list',
    'tenant-read',
    'tenant-patch',
    'tenant-remove',
    'tenant-erase',
    'capture-consent-put',
    'tenant-usage',
    'key-create',
    'key-list',
    'key-revoke',
    'browser-token-create',
    'operator-key-create',
    'operator-key-list',
    'operator-key-revoke',
    'plan-list',
    'plan-put',
    'issuer-list',
    'issuer-put',
    'issuer-remove',
    'upload-create',
    'upload-receive',
    'version-push',
    'validation-list',
    'validation-read',
    'version-list',
    'version-read',
    'model-route-list',
    'model-read',
    'stable-put',
    'overview',
    'model-metrics',
    'model-feedback',
    'tenant-feedback',
    'quality-read',
    'quality-check',
    'quality-reference-put',
    'tenant-quality-read',
    'release-list',
    'release-list-all',
    'release-read',
    'release-audit-list',
    'release-verb',
    'pin-put',
    'pin-remove',
    'notice-webhook-create',
    'notice-webhook-list',
    'notice-webhook-remove',
    'pool-list',
    'dead-letter-list',
    'tenant-dead-letter-list',
    'dead-letter-discard',
    'audit-list',
    'tenant-audit-list',
    'audit-verify',
    'log-level-read',
    'log-level-put',
    'webhook-create',
    'webhook-list',
    'webhook-read',
    'webhook-patch',
    'webhook-remove',
    'webhook-secret-rotate',
    'webhook-test',
    'delivery-list',
    'delivery-replay',
    'cost-read',
    'tenant-cost-read',
    'budget-list',
    'budget-put',
    'budget-remove',
    'orphan-list',
    'alarm-list',
    'check-list',
    'session-read',
  ],
} as const satisfies Readonly<Record<string, readonly RouteId[]>>;

export type HttpFunction = keyof typeof HTTP_FUNCTIONS;

/** Functions whose answers are streamed, as they may be larger than the 6 MB of a buffered one. */
export const STREAMED_FUNCTIONS: ReadonlySet<HttpFunction> = new Set(['infer', 'predictions']);

/**
 * Deployed functions that no caller reaches:
 * - `validate`: asynchronously, a record a call, by the stream of the control table with `STREAMS.validate`, and once in
 *   `VALIDATE_EVERY_MINUTES`. Has onnxruntime beside it, as `replay` has;
 * - `notices`: by the stream of the jobs table with `STREAMS.notices`, and once a minute;
 * - `sweep`: once a minute;
 * - `model-packages`: by `SageMaker Model Package State Change` on EventBridge, and once a minute;
 * - `release-step`: by the release clock, a state machine, for one model; and once a minute for all;
 * - `quality`: once in `QUALITY_EVERY_MINUTES`;
 * - `watch`: once a minute;
 * - `setup`: once with every deployment, before anything is called, as a trigger or a custom resource. Again is harmless.
 */
export const INNER_FUNCTIONS = [
  'validate',
  'notices',
  'sweep',
  'model-packages',
  'release-step',
  'quality',
  'watch',
  'setup',
] as const;
export type InnerFunction = (typeof INNER_FUNCTIONS)[number];

export const VALIDATE_EVERY_MINUTES = 5;
/** The shortest window that is judged, unless a manifest says otherwise: shorter ones are judged some at a time. */
export const QUALITY_EVERY_MINUTES = 15;

/** Of an event `Sluice Model Quality`: what `quality` sends of each notice, all of which the pipe puts in. */
export const MODEL_EVENT_FIELDS = [
  'id',
  'deployment',
  'region',
  'event',
  'reason',
  'model',
  'version',
  'at',
  'window',
  'checks',
  'missing_classes',
] as const;

type StreamTrigger = {
  /** What the table's stream must carry. */
  readonly view: 'KEYS_ONLY' | 'NEW_AND_OLD_IMAGES';
  /** Filters of the event source mapping: a change that any of them matches invokes the function. */
  readonly filters: readonly object[];
};

const ENDED = { state: { S: ['ended'] }, notice: { S: [{ exists: true }] } };

/** What of a table's stream invokes a function. The schedule beside it finds what a lost invocation left. */
export const STREAMS = {
  /** A push that was accepted. */
  validate: {
    view: 'KEYS_ONLY',
    filters: [{ eventName: ['INSERT'], dynamodb: { Keys: { pk: { S: [OPEN_VALIDATIONS] } } } }],
  },
  /** A job of whose end somebody is to be told: it ends, or turns out to have ended when its notice is asked for. */
  notices: {
    view: 'NEW_AND_OLD_IMAGES',
    filters: [
      {
        eventName: ['MODIFY'],
        dynamodb: { NewImage: ENDED, OldImage: { state: { S: [{ 'anything-but': ['ended'] }] } } },
      },
      { eventName: ['MODIFY'], dynamodb: { NewImage: ENDED, OldImage: { notice: { S: [{ exists: false }] } } } },
    ],
  },
} as const satisfies Partial<Record<InnerFunction, StreamTrigger>>;

/** What of the control table's stream, which carries keys alone, starts an execution of the release clock: a model has an open release and had none. */
export const RELEASE_CLOCK_FILTERS = [{ eventName: ['INSERT'], dynamodb: { Keys: { pk: { S: [OPEN_RELEASES] } } } }];

/** With what an execution of the release clock begins: `release-step` reads these. A pipe puts in what is in `<$…>`, of the stream's record. */
export const RELEASE_CLOCK_INPUT = {
  model: '<$.dynamodb.Keys.sk.S>',
  activation: '<$.eventID>',
  generation: 0,
  looks: 0,
  release: '',
  told: 0,
} as const;
