import { mkdtempSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readEndpoints, readRegionEnvironment } from '../../../adapters/aws/environment.ts';
import { type AwsRegion, openRegion } from '../../../adapters/aws/open-region.ts';
import type { Log } from '../../../core/ports/log.ts';
import { MIB } from '../../../core/units.ts';
import { ManualClock } from '../manual-clock.ts';
import { NO_LOG } from './aws-jobs.ts';
import { bundledFunctions } from './bundles.ts';
import type { DynamoEmulator } from './dynamo-emulator.ts';
import type { FakeEcs } from './fake-ecs.ts';
import { LambdaFunction } from './lambda-function.ts';

const VIRTUAL_TIME = join(import.meta.dirname, 'virtual-time.ts');

/** What releases need of AWS: tables, ECS, and the function of the release clock as it is bundled, in a process of its own with this clock's time. */
export class ReleaseRegion {
  readonly ports: AwsRegion;
  readonly clock = new ManualClock();
  readonly log: Log = NO_LOG;
  readonly step: LambdaFunction;
  readonly #folder: string;

  private constructor(variables: Readonly<Record<string, string>>, folder: string, bundle: string) {
    this.#folder = folder;
    const { clock, log } = this;
    this.ports = openRegion({
      environment: readRegionEnvironment(variables),
      endpoints: readEndpoints(variables),
      clock,
      log,
      cacheFolder: join(folder, 'cache'),
      cacheBytes: MIB,
    });
    const environment = {
      ...variables,
      SLUICE_TEST_TIME_FILE: this.#timeFile,
      NODE_OPTIONS: `--import ${VIRTUAL_TIME}`,
    };
    this.#writeTime();
    this.step = new LambdaFunction({
      name: 'release-step',
      folder: bundle,
      environment,
      timeoutMs: 55_000,
      concurrency: 2,
    });
  }

  static async open(dynamo: DynamoEmulator, ecs: FakeEcs): Promise<ReleaseRegion> {
    const { 'release-step': bundle } = await bundledFunctions();
    const { protocol, hostname, port } = await dynamo.client.config.endpoint!();
    const control = await dynamo.createTable();
    const telemetry = await dynamo.createTable();
    const nothing = 'not-called';
    const variables = {
      AWS_REGION: 'us-east-1',
      AWS_ENDPOINT_URL_DYNAMODB: `${protocol}//${hostname}:${port}`,
      AWS_ENDPOINT_URL_ECS: ecs.endpoint,
      SLUICE_DEPLOYMENT: 'test',
      SLUICE_REGION: 'us',
      SLUICE_DIRECTORY_TABLE: nothing,
      SLUICE_CONTROL_TABLE: control,
      SLUICE_JOBS_TABLE: nothing,
      SLUICE_LIMITS_TABLE: nothing,
      SLUICE_DATA_KEYS_TABLE: nothing,
      SLUICE_TELEMETRY_TABLE: telemetry,
      SLUICE_ARTIFACTS_BUCKET: nothing,
      SLUICE_PAYLOADS_BUCKET: nothing,
      SLUICE_KEY_ID: nothing,
      SLUICE_QUEUES_URL: 'http://127.0.0.1:9/test-',
      SLUICE_POOLS: 'default',
      SLUICE_CLUSTER: nothing,
      SLUICE_SETTINGS_PARAMETER: nothing,
      SLUICE_SIGNING_KEY_SECRET: nothing,
      SLUICE_USD_PER_COMPUTE_HOUR: '1',
      SLUICE_TRACES_URL: '',
      SLUICE_TRACES_SHARE: '0',
    };
    return new ReleaseRegion(variables, mkdtempSync(join(tmpdir(), 'sluice-test-')), bundle);
  }

  /** One invocation of the function, now. */
  async look(event: object): Promise<unknown> {
    this.#writeTime();
    return this.step.run(event);
  }

  /** Whatever its process knew is lost. */
  crash(): Promise<void> {
    return this.step.killAll();
  }

  async close(): Promise<void> {
    await this.step.stop();
    await this.ports.settled();
    await rm(this.#folder, { recursive: true, force: true });
  }

  get #timeFile(): string {
    return join(this.#folder, 'time');
  }

  #writeTime(): void {
    writeFileSync(this.#timeFile, String(this.clock.nowMs()));
  }
}
