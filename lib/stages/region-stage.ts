import { Stack, type StackProps, Stage, Tags } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import type { DeployedFunction } from '../bundle.ts';
import type { Config } from '../config.ts';
import { directoryTableName, settingsParameterName, stackName } from '../names.ts';
import type { RegionContext, WorkerImages } from '../region-context.ts';
import type { RegionStores } from '../region-resources.ts';
import { Api } from '../stacks/api.ts';
import { Console } from '../stacks/console.ts';
import { Data } from '../stacks/data.ts';
import { Directory } from '../stacks/directory.ts';
import { Foundation } from '../stacks/foundation.ts';
import { Inference } from '../stacks/inference.ts';
import { ModelStore } from '../stacks/model-store.ts';
import { Observability } from '../stacks/observability.ts';
import { Release } from '../stacks/release.ts';

/** What is deployed, and as what. */
export type Deployment = {
  readonly config: Config;
  /** Of each function, the folder with its code. */
  readonly folders: Readonly<Record<DeployedFunction, string>>;
  readonly workerImages: WorkerImages;
  /** The folder with the code of checks from outside: see `bundleCanary`. */
  readonly canaryFolder: string;
  /** The folder with the built console; for a configuration that has one. */
  readonly consoleFolder?: string | undefined;
  readonly isFirstDeployment?: boolean;
};

/** All stacks of one region; the primary one's also has what is global. */
export class RegionStage extends Stage {
  readonly foundation: Foundation;
  readonly modelStore: ModelStore;
  readonly data: Data;
  readonly inference: Inference;
  readonly api: Api;
  readonly release: Release;
  readonly observability: Observability;
  readonly directory: Directory | undefined;
  /** Of the primary region, where the configuration has one. */
  readonly console: Console | undefined;

  constructor(
    scope: Construct,
    region: string,
    { config, folders, workerImages, canaryFolder, consoleFolder, isFirstDeployment = false }: Deployment,
  ) {
    const settings = config.regions[region]!;
    super(scope, region, { env: { account: config.account, region: settings.awsRegion } });
    const context: RegionContext = {
      config,
      region,
      settings,
      isPrimary: region === config.primary,
      isFirstDeployment,
      workerImages,
    };
    const named = (stack: string) => ({
      stackName: stackName(config.deployment, region, stack),
      description: `Sluice ${config.deployment}, ${region}: ${stack}`,
      terminationProtection: true,
    });
    this.foundation = new Foundation(this, 'Foundation', named('foundation'), context);
    const { keys, network } = this.foundation;
    this.directory = context.isPrimary
      ? new Directory(this, 'Directory', named('directory'), context, keys)
      : undefined;
    this.modelStore = new ModelStore(this, 'ModelStore', named('model-store'), context, keys);
    this.data = new Data(this, 'Data', named('data'), context, keys);
    const stores = this.#stores(context);
    this.inference = new Inference(this, 'Inference', named('inference'), { context, stores, network });
    if (this.directory !== undefined) this.inference.addStackDependency(this.directory);
    const { resources } = this.inference;
    const { control, jobs } = this.data;
    this.api = new Api(this, 'Api', named('api'), { context, resources, folders, control, jobs });
    const { foundation, inference, api } = this;
    const { functions, failed } = api;
    const step = functions['release-step'];
    this.release = new Release(this, 'Release', named('release'), { context, resources, control, step, failed });
    this.observability = new Observability(this, 'Observability', named('observability'), {
      context,
      foundation,
      inference,
      api,
      release: this.release,
      canaryFolder,
    });
    this.console = this.#console(context, consoleFolder, named('console'));
    Tags.of(this).add('sluice:deployment', config.deployment);
    Tags.of(this).add('sluice:region', region);
  }

  #console(context: RegionContext, folder: string | undefined, props: StackProps): Console | undefined {
    const { console: settings } = context.config;
    if (settings === undefined || !context.isPrimary) return undefined;
    if (folder === undefined) throw new Error('the configuration has a console, and none was built');
    return new Console(this, 'Console', props, { context, settings, keys: this.foundation.keys, folder });
  }

  #stores({ config, region }: RegionContext): RegionStores {
    const {
      control,
      jobs,
      limits,
      dataKeys,
      telemetry,
      signingKeySecretArn,
      operatorKeySecretArn,
      canaryKeySecretArn,
    } = this.data;
    const { artifacts, payloads } = this.modelStore;
    const arnOf = (service: string, resource: string, resourceName: string) =>
      Stack.of(this.data).formatArn({ service, resource, resourceName });
    const directory = directoryTableName(config.deployment);
    const parameter = settingsParameterName(config.deployment, region);
    const ofTable = (table: typeof control) => ({ name: table.tableName, arn: table.tableArn });
    const ofBucket = (bucket: typeof artifacts) => ({ name: bucket.bucketName, arn: bucket.bucketArn });
    return {
      tables: {
        directory: { name: directory, arn: arnOf('dynamodb', 'table', directory) },
        control: ofTable(control),
        jobs: ofTable(jobs),
        limits: ofTable(limits),
        dataKeys: ofTable(dataKeys),
        telemetry: ofTable(telemetry),
      },
      buckets: { artifacts: ofBucket(artifacts), payloads: ofBucket(payloads) },
      dataKey: this.foundation.keys.data,
      operationsKey: this.foundation.keys.operations,
      signingKeySecretArn,
      operatorKeySecretArn,
      canaryKeySecretArn,
      modelPackages: {
        packageArns: config.sagemaker.modelPackageGroups.map((group) =>
          arnOf('sagemaker', 'model-package', `${group.toLowerCase()}/*`),
        ),
        modelBuckets: config.sagemaker.modelBuckets,
      },
      settingsParameter: { name: parameter, arn: arnOf('ssm', 'parameter', parameter.slice(1)) },
    };
  }
}
