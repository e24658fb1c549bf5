import { setTimeout as delay } from 'node:timers/promises';
import { ScanCommand } from '@aws-sdk/client-dynamodb';
import { type Endpoints, queueName, type RegionVariables, serviceName } from '../../../adapters/aws/environment.ts';
import { JOBS_INDEXES, jobsPartition } from '../../../adapters/aws/keys.ts';
import { LANES } from '../../../core/inference/job.ts';
import { type DeployedFunction, FUNCTIONS } from '../../../lib/bundle.ts';
import { ApiGateway, type Integration, type Methods } from './api-gateway.ts';
import type { Cloud } from './cloud.ts';
import { gatewayMethods, TIMEOUT_S } from './gateway-methods.ts';
import { accessKeyIdOf } from './iam-access.ts';
import { LambdaFunction } from './lambda-function.ts';
import { WorkerProcess } from './worker-process.ts';

export const AWS_REGION = 'us-east-1';
const DEPLOYMENT = 'test';
export const ACCOUNT = '000000000000';
/** As in `lib/constructs/pool-queues.ts`. */
const RECEIVES_BEFORE_DEAD = 60;
/** Of one function at a time; those that are told nothing of need one. */
const CONCURRENCY: Partial<Record<DeployedFunction, number>> = { infer: 4, predictions: 3, control: 2, catalogue: 2 };
/** In place of the minutes of EventBridge and the streams of the tables, which no emulator has. */
const SCHEDULE_MS = { notices: 300, quality: 500, 'release-step': 500, sweep: 1000, validate: 400 } as const;

export type Scheduled = keyof typeof SCHEDULE_MS;

export type DeployedRegionOptions = {
  readonly cloud: Cloud;
  readonly region: string;
  readonly directoryTable: string;
  readonly runners: number;
  readonly workers: number;
  readonly logLines: string[];
  readonly scheduled: readonly Scheduled[];
  /** Of services, for functions and workers: default the cloud's. */
  readonly endpoints?: Partial<Endpoints>;
  /** Variables of every function beside those that it is deployed with. */
  readonly functionVariables?: Readonly<Record<string, string>>;
  /** Where all processes send spans of every request; default: nowhere. */
  readonly tracesUrl?: string | undefined;
};

let made = 0;

/** A region as `lib/` deploys it: tables, queues and buckets, functions behind an API, workers, schedules. */
export class DeployedRegion {
  readonly name: string;
  readonly variables: RegionVariables;
  readonly functions: Readonly<Record<DeployedFunction, LambdaFunction>>;
  readonly gateway: ApiGateway;
  readonly workers: WorkerProcess[] = [];
  /** What functions that nobody waits for have failed at. */
  readonly failures: unknown[] = [];
  readonly #options: DeployedRegionOptions;
  readonly #environment: Readonly<Record<string, string>>;
  readonly #stopped = new AbortController();
  readonly #schedules: Promise<void>[] = [];

  private constructor(options: DeployedRegionOptions, variables: RegionVariables, parts: FunctionParts) {
    this.name = options.region;
    this.variables = variables;
    this.functions = parts.functions;
    this.gateway = parts.gateway;
    this.#environment = parts.environment;
    this.#options = options;
  }

  static async create(options: DeployedRegionOptions): Promise<DeployedRegion> {
    const variables = await createResources(options);
    const { cloud, logLines } = options;
    const environment = {
      AWS_REGION,
      ...endpointVariables({ ...cloud.endpoints, ...options.endpoints }),
      ...variables,
    };
    const functions = Object.fromEntries(
      FUNCTIONS.map((name) => {
        const spec = {
          name,
          folder: cloud.folders[name],
          environment: {
            ...environment,
            ...credentialsOf(name),
            ...ownVariables(name, variables),
            ...options.functionVariables,
          },
          timeoutMs: TIMEOUT_S[name] * 1000,
          concurrency: CONCURRENCY[name] ?? 1,
        };
        return [name, new LambdaFunction(spec, logLines)];
      }),
    ) as Record<DeployedFunction, LambdaFunction>;
    const gateway = await ApiGateway.start(0, methodsOf(functions));
    return new DeployedRegion(options, variables, { functions, gateway, environment });
  }

  /** Once the settings are there: what a deployment does at its end. */
  async setUp(): Promise<void> {
    await this.functions.setup.run({ RequestType: 'Create' });
  }

  /** Workers with these models loaded, processes of functions ahead of the first requests, and schedules. */
  async start(models: readonly string[]): Promise<void> {
    for (let worker = 0; worker < this.#options.workers; worker += 1) this.addWorker(models);
    const { infer, predictions, control } = this.functions;
    await Promise.all([infer.warm(2), predictions.warm(), control.warm()]);
    for (const name of this.#options.scheduled) this.#schedules.push(this.#schedule(name));
  }

  addWorker(models: readonly string[] = []): WorkerProcess {
    const { runners, logLines } = this.#options;
    const worker = new WorkerProcess({ ...this.#environment, ...credentialsOf('worker') }, runners, logLines, models);
    this.workers.push(worker);
    return worker;
  }

  async startedJobs(): Promise<Map<string, number>> {
    const { dynamo } = this.#options.cloud;
    const started = new Map<string, number>();
    const asked = { TableName: this.variables.SLUICE_JOBS_TABLE, FilterExpression: 'attribute_exists(attempt)' };
    for (
      let from: Awaited<ReturnType<typeof scan>>['LastEvaluatedKey'], isFirst = true;
      isFirst || from;
      isFirst = false
    ) {
      const page = await scan(from);
      for (const { pk, sk, attempt } of page.Items ?? []) {
        if (pk?.S?.startsWith(jobsPartition(''))) started.set(sk!.S!, Number(attempt!.N));
      }
      from = page.LastEvaluatedKey;
    }
    return started;

    function scan(ExclusiveStartKey: Record<string, never> | undefined | object) {
      return dynamo.client.send(new ScanCommand({ ...asked, ExclusiveStartKey: ExclusiveStartKey as never }));
    }
  }

  /** `kill`: at once, whatever workers and functions hold. */
  async stop(kill: boolean): Promise<void> {
    this.#stopped.abort();
    if (kill) await Promise.all(Object.values(this.functions).map((each) => each.stop()));
    await Promise.all(this.#schedules);
    await Promise.all(this.workers.map((worker) => (kill ? worker.kill() : worker.stop())));
    await this.gateway.stop();
    await Promise.all(Object.values(this.functions).map((each) => each.stop()));
  }

  async #schedule(name: Scheduled): Promise<void> {
    const { signal } = this.#stopped;
    while (!signal.aborted) {
      await this.functions[name].run({}).catch((error: unknown) => {
        if (!signal.aborted) this.failures.push(error);
      });
      await delay(SCHEDULE_MS[name], undefined, { signal }).catch(() => {});
    }
  }
}

type FunctionParts = {
  readonly functions: Readonly<Record<DeployedFunction, LambdaFunction>>;
  readonly gateway: ApiGateway;
  readonly environment: Readonly<Record<string, string>>;
};

/** Of its own, as each has a role of its own. */
function credentialsOf(process: DeployedFunction | 'worker'): Readonly<Record<string, string>> {
  return { AWS_ACCESS_KEY_ID: accessKeyIdOf(process), AWS_SECRET_ACCESS_KEY: 'local' };
}

async function createResources({
  cloud,
  region,
  directoryTable,
  tracesUrl = '',
}: DeployedRegionOptions): Promise<RegionVariables> {
  const { dynamo, fauxqs, ecs, secrets } = cloud;
  made += 1;
  const prefix = `sluice-${DEPLOYMENT}-${region}-${made}`;
  for (const lane of LANES) {
    const { queueArn } = fauxqs.server.createQueue(`${prefix}-${queueName('default', lane, 'dead')}`, {});
    const RedrivePolicy = JSON.stringify({ deadLetterTargetArn: queueArn, maxReceiveCount: RECEIVES_BEFORE_DEAD });
    fauxqs.server.createQueue(`${prefix}-${queueName('default', lane)}`, { attributes: { RedrivePolicy } });
  }
  ecs.set(serviceName(DEPLOYMENT, 'default'), 1);
  const variables = {
    SLUICE_DEPLOYMENT: DEPLOYMENT,
    SLUICE_REGION: region,
    SLUICE_DIRECTORY_TABLE: directoryTable,
    SLUICE_CONTROL_TABLE: await dynamo.createTable(),
    SLUICE_JOBS_TABLE: await dynamo.createTable(JOBS_INDEXES),
    SLUICE_LIMITS_TABLE: await dynamo.createTable(),
    SLUICE_DATA_KEYS_TABLE: await dynamo.createTable(),
    SLUICE_TELEMETRY_TABLE: await dynamo.createTable(),
    SLUICE_ARTIFACTS_BUCKET: fauxqs.createBucket(),
    SLUICE_PAYLOADS_BUCKET: fauxqs.createBucket(),
    SLUICE_KEY_ID: `arn:aws:kms:${AWS_REGION}:${ACCOUNT}:key/local`,
    SLUICE_QUEUES_URL: `${cloud.endpoints.sqs}/${ACCOUNT}/${prefix}-`,
    SLUICE_POOLS: 'default',
    SLUICE_BRIDGES: '',
    SLUICE_CLUSTER: prefix,
    SLUICE_SETTINGS_PARAMETER: `/${prefix}/settings`,
    SLUICE_SIGNING_KEY_SECRET: `${prefix}-signing-key`,
    SLUICE_USD_PER_COMPUTE_HOUR: '0.05',
    SLUICE_TRACES_URL: tracesUrl,
    SLUICE_TRACES_SHARE: '1',
  } satisfies RegionVariables;
  secrets.create(variables.SLUICE_SIGNING_KEY_SECRET);
  secrets.create(operatorSecret(variables));
  secrets.create(canarySecret(variables));
  return variables;
}

/** What one function alone is told. */
function ownVariables(name: DeployedFunction, variables: RegionVariables): Readonly<Record<string, string>> {
  const canary = { SLUICE_CANARY_KEY_SECRET: canarySecret(variables) };
  if (name === 'setup') return { ...canary, SLUICE_OPERATOR_KEY_SECRET: operatorSecret(variables) };
  const body = { inputs: [{ name: 'x', shape: [1, 4], datatype: 'FP32', data: [1, 2, 3, 4] }] };
  if (name !== 'watch') return {};
  return { ...canary, SLUICE_CHECKED_MODEL: 'row-sum', SLUICE_CHECKED_BODY: JSON.stringify(body) };
}

export function canarySecret({ SLUICE_CLUSTER: prefix }: RegionVariables): string {
  return `${prefix}-canary-key`;
}

export function operatorSecret({ SLUICE_CLUSTER: prefix }: RegionVariables): string {
  return `${prefix}-operator-key`;
}

const SERVICE_NAMES: { readonly [Service in keyof Endpoints]: string } = {
  dynamo: 'DYNAMODB',
  kms: 'KMS',
  s3: 'S3',
  sqs: 'SQS',
  ssm: 'SSM',
  secretsManager: 'SECRETS_MANAGER',
  ecs: 'ECS',
  sagemaker: 'SAGEMAKER',
};

function endpointVariables(endpoints: { readonly [Service in keyof Endpoints]: string | undefined }) {
  const named = Object.entries(endpoints) as [keyof Endpoints, string][];
  return Object.fromEntries(named.map(([service, url]) => [`AWS_ENDPOINT_URL_${SERVICE_NAMES[service]}`, url]));
}

function methodsOf(functions: Readonly<Record<DeployedFunction, LambdaFunction>>): Methods {
  const integrations = Object.entries(gatewayMethods()).map(([route, { function: name, ...how }]) => {
    const integration: Integration = { invoke: (event, id) => functions[name].invoke(event, id), ...how };
    return [route, integration];
  });
  return Object.fromEntries(integrations) as Methods;
}
