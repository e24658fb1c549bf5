import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { ScanCommand } from '@aws-sdk/client-dynamodb';
import { EcsWake } from '../../../adapters/aws/ecs-wake.ts';
import { queueName, readEndpoints, readRegionEnvironment, serviceName } from '../../../adapters/aws/environment.ts';
import { JOBS_INDEXES, jobsPartition } from '../../../adapters/aws/keys.ts';
import { openRegion } from '../../../adapters/aws/open-region.ts';
import { Table } from '../../../adapters/aws/table.ts';
import { JsonLog } from '../../../adapters/node/json-log.ts';
import { SystemClock } from '../../../adapters/node/system-clock.ts';
import { createGateway, type Gateway, type GatewayPorts } from '../../../core/inference/gateway.ts';
import { LANES } from '../../../core/inference/job.ts';
import type { Caller, InferAnswer, InferCall } from '../../../core/inference/request.ts';
import type { Platform } from '../../../core/ports/platform.ts';
import { Recorder } from '../../../core/quality/recorder.ts';
import { DEFAULT_PLANS } from '../../../core/tenancy/plan.ts';
import { GIB, MINUTE_MS, SECOND_MS } from '../../../core/units.ts';
import { createRunnerSandbox } from '../../../gpu-worker/runner-sandbox.ts';
import { addVersion } from '../add-version.ts';
import { slowModel } from '../bad-models.ts';
import { withManifest } from '../push-model.ts';
import type { Emulators } from './emulators.ts';
import { FakeEcs } from './fake-ecs.ts';
import { WorkerProcess } from './worker-process.ts';

const DEPLOYMENT = 'zero';
const POLL_MS = 100;

/** One row a run, so that many runs are under way for a while. */
const ONE_BY_ONE = withManifest(slowModel(), { timeoutMs: MINUTE_MS, batching: { maxRows: 1 } });

type Endpoint = { protocol: string; hostname: string; port?: number | undefined };
type Client = { config: { endpoint?: (() => Promise<Endpoint>) | undefined } };
type Submitter = { readonly gateway: Gateway; readonly ports: GatewayPorts };

let made = 0;

/**
 * A region with one pool at zero: its ECS service starts a real worker process whenever it is told to have one, `lateMs` after.
 * Gateways are opened as handlers are, each with ports of its own.
 */
export class ZeroRegion {
  readonly ecs: FakeEcs;
  readonly workers: WorkerProcess[] = [];
  readonly logLines: string[] = [];
  readonly service = serviceName(DEPLOYMENT, 'default');
  lateMs = 0;
  readonly #emulators: Emulators;
  readonly #variables: Readonly<Record<string, string>>;
  readonly #folder = mkdtempSync(join(tmpdir(), 'sluice-test-'));
  readonly #stopped = new AbortController();

  private constructor(emulators: Emulators, ecs: FakeEcs, variables: Readonly<Record<string, string>>) {
    this.#emulators = emulators;
    this.ecs = ecs;
    this.#variables = variables;
    ecs.set(this.service, 0);
    ecs.onDesired = (_, count) => {
      if (count > 0)
        void delay(this.lateMs, undefined, { signal: this.#stopped.signal }).then(() => this.startWorker());
    };
  }

  static async create(emulators: Emulators): Promise<ZeroRegion> {
    const ecs = await FakeEcs.start();
    const region = new ZeroRegion(emulators, ecs, await createResources(emulators, ecs));
    const { ports } = region.open();
    const clock = new SystemClock();
    const settings = { provider: 'cpu', intraOpThreads: 1, environment: {} } as const;
    const sandbox = createRunnerSandbox(settings, clock);
    await addVersion({ ...(ports as unknown as Platform), sandbox }, ONE_BY_ONE, 'installer');
    return region;
  }

  /** What one handler's process has. `askEveryMs`: in place of the minute between two starts that are asked for. */
  open(askEveryMs?: number): Submitter {
    const { dynamo } = this.#emulators;
    const environment = readRegionEnvironment(this.#variables);
    const clock = new SystemClock();
    const log = new JsonLog({ write: (line) => this.logLines.push(line) }, clock);
    const endpoints = readEndpoints(this.#variables);
    const region = openRegion({ environment, endpoints, clock, log, cacheFolder: this.#folder, cacheBytes: GIB });
    const table = new Table(dynamo.client, environment.tables.control);
    const { pools, bridges } = environment;
    const wake = new EcsWake({ ...environment, client: this.ecs.client, table, log, askEveryMs });
    const config = { region: 'us', regionUrls: {}, corsOrigins: [], pools, bridges, usdPerComputeHour: 1 };
    const recorder = new Recorder({ ...region, clock, log });
    const ports = { ...region, wake, config, clock, log, recorder } as unknown as GatewayPorts;
    return { gateway: createGateway(ports), ports };
  }

  /** As ECS starts a task in place of one that has ended. */
  startWorker(): WorkerProcess {
    const worker = new WorkerProcess(this.#variables, 1, this.logLines);
    this.workers.push(worker);
    return worker;
  }

  /** The outcomes of accepted requests, by id, as soon as all are there. */
  async outcomesOf({ gateway }: Submitter, answers: readonly InferAnswer[], withinMs: number) {
    const untilMs = performance.now() + withinMs;
    const outcomes = new Map<string, Extract<InferAnswer, { kind: 'answered' }>['outcome']>();
    for (;;) {
      for (const { id } of answers.filter((answer) => !outcomes.has(answer.id))) {
        const answer = await gateway.readPrediction(CALLER, id, 0);
        if (answer.kind === 'answered') outcomes.set(id, answer.outcome);
      }
      if (outcomes.size === answers.length || performance.now() > untilMs) return outcomes;
      await delay(POLL_MS);
    }
  }

  /** How often each job was started, by id. */
  async attempts(): Promise<ReadonlyMap<string, number>> {
    const scan = new ScanCommand({ TableName: this.#variables.SLUICE_JOBS_TABLE! });
    const { Items: items = [] } = await this.#emulators.dynamo.client.send(scan);
    const jobs = items.filter(({ pk }) => pk?.S?.startsWith(jobsPartition('')));
    return new Map(jobs.map(({ sk, attempt }) => [sk!.S!, Number(attempt?.N ?? 0)]));
  }

  async stop(): Promise<void> {
    this.#stopped.abort();
    await Promise.all(this.workers.map((worker) => worker.kill()));
    await this.ecs.stop();
    await rm(this.#folder, { recursive: true, force: true });
  }
}

export const CALLER = {
  principal: { id: 'key:1', tenant: 'acme', role: 'tenant-user', models: undefined, user: undefined },
  tenant: { id: 'acme', plan: 'enterprise', captureConsent: false, createdAtMs: 0 },
  limits: { ...DEFAULT_PLANS.at(-1)!.limits, rowsPerMinute: 6000 },
} as unknown as Caller;

/** A call of the slow model, whose answer is the number of rounds that it took: about half a millisecond each. */
export function slowCall(rounds: number, changes: Partial<InferCall> = {}): InferCall {
  const inputs = [{ name: 'rounds', datatype: 'INT64' as const, shape: [1], data: BigInt64Array.of(BigInt(rounds)) }];
  return {
    caller: CALLER,
    model: 'slow',
    version: undefined,
    request: { clientId: undefined, inputs, outputs: undefined, binaryByDefault: false, timeoutMs: undefined },
    prefer: { respondAsync: false, waitMs: undefined },
    caching: 'use',
    idempotencyKey: undefined,
    traceparent: undefined,
    signal: undefined,
    ...changes,
  };
}

/** Ends waits that would be too long for a test. */
export const ANSWERED_WITHIN_MS = 40 * SECOND_MS;

async function createResources({ dynamo, kms, fauxqs }: Emulators, ecs: FakeEcs) {
  made += 1;
  const prefix = `zero-${made}`;
  for (const lane of LANES) {
    for (const dead of [undefined, 'dead'] as const) {
      fauxqs.server.createQueue(`${prefix}-${queueName('default', lane, dead)}`, {});
    }
  }
  const sqs = await urlOf(fauxqs.sqs);
  return {
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: 'local',
    AWS_SECRET_ACCESS_KEY: 'local',
    AWS_ENDPOINT_URL_DYNAMODB: await urlOf(dynamo.client),
    AWS_ENDPOINT_URL_KMS: await urlOf(kms.client),
    AWS_ENDPOINT_URL_S3: await urlOf(fauxqs.s3),
    AWS_ENDPOINT_URL_SQS: sqs,
    AWS_ENDPOINT_URL_ECS: ecs.endpoint,
    SLUICE_DEPLOYMENT: DEPLOYMENT,
    SLUICE_REGION: 'us',
    SLUICE_DIRECTORY_TABLE: await dynamo.createTable(),
    SLUICE_CONTROL_TABLE: await dynamo.createTable(),
    SLUICE_JOBS_TABLE: await dynamo.createTable(JOBS_INDEXES),
    SLUICE_LIMITS_TABLE: await dynamo.createTable(),
    SLUICE_DATA_KEYS_TABLE: await dynamo.createTable(),
    SLUICE_TELEMETRY_TABLE: await dynamo.createTable(),
    SLUICE_ARTIFACTS_BUCKET: fauxqs.createBucket(),
    SLUICE_PAYLOADS_BUCKET: fauxqs.createBucket(),
    SLUICE_KEY_ID: 'alias/region',
    SLUICE_QUEUES_URL: `${sqs}/000000000000/${prefix}-`,
    SLUICE_POOLS: 'default',
    SLUICE_CLUSTER: prefix,
    SLUICE_SETTINGS_PARAMETER: `/${prefix}/settings`,
    SLUICE_SIGNING_KEY_SECRET: `${prefix}-key`,
    SLUICE_USD_PER_COMPUTE_HOUR: '1',
    SLUICE_TRACES_URL: '',
    SLUICE_TRACES_SHARE: '0',
  };
}

async function urlOf({ config }: Client): Promise<string> {
  const { protocol, hostname, port } = await config.endpoint!();
  return `${protocol}//${hostname}:${port}`;
}
