import { CfnOutput, Duration, Stack, type StackProps } from 'aws-cdk-lib';
import type { TableV2 } from 'aws-cdk-lib/aws-dynamodb';
import type { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import { Trigger } from 'aws-cdk-lib/triggers';
import type { Construct } from 'constructs';
import {
  HTTP_FUNCTIONS,
  type HttpFunction,
  INNER_FUNCTIONS,
  type ModelPackagesVariables,
  type QualityVariables,
  type SetupVariables,
  type WaitingVariables,
  type WatchVariables,
} from '../../adapters/aws/environment.ts';
import type { DeployedFunction } from '../bundle.ts';
import { ApiDomain } from '../constructs/api-domain.ts';
import { FunctionTriggers } from '../constructs/function-triggers.ts';
import { ModelEvents } from '../constructs/model-events.ts';
import { type FunctionParts, PlatformFunction } from '../constructs/platform-function.ts';
import { RegionApi } from '../constructs/region-api.ts';
import { regionSettings } from '../constructs/region-settings.ts';
import { WebAcl } from '../constructs/web-acl.ts';
import { regionPrefix } from '../names.ts';
import type { RegionContext } from '../region-context.ts';
import type { RegionResources } from '../region-resources.ts';

export type ApiStackParts = {
  readonly context: RegionContext;
  readonly resources: RegionResources;
  readonly folders: Readonly<Record<DeployedFunction, string>>;
  readonly control: TableV2;
  readonly jobs: TableV2;
};

/** The region's functions, the API before them, and what else invokes them. */
export class Api extends Stack {
  readonly functions: Readonly<Record<DeployedFunction, LambdaFunction>>;
  readonly api: RegionApi;
  readonly failed: Queue;
  readonly url: string;

  constructor(scope: Construct, id: string, props: StackProps, parts: ApiStackParts) {
    super(scope, id, props);
    const { context, resources } = parts;
    this.failed = new Queue(this, 'Failed', {
      encryption: QueueEncryption.KMS,
      encryptionMasterKey: resources.dataKey,
      enforceSSL: true,
      retentionPeriod: Duration.days(14),
    });
    const events = new ModelEvents(this, 'ModelEvents', { resources, failed: this.failed });
    this.functions = this.#makeFunctions({ ...parts, failed: this.failed }, events);
    events.tellBy(this.functions.quality);
    this.api = new RegionApi(this, 'RegionApi', {
      context,
      operationsKey: resources.operationsKey,
      functions: this.functions,
    });
    this.url = this.#addressOf(context);
    const name = `${regionPrefix(context.config.deployment, context.region)}-api`;
    const { requestsPerFiveMinutesPerAddress } = context.config.api;
    const { stageArn } = this.api.api.deploymentStage;
    new WebAcl(this, 'WebAcl', { name, stageArn, requestsPerFiveMinutesPerAddress });
    const settings = regionSettings(this, 'Settings', context, this.url);
    new FunctionTriggers(this, 'Triggers', {
      config: context.config,
      functions: this.functions,
      control: parts.control,
      jobs: parts.jobs,
      failed: this.failed,
    });
    new Trigger(this, 'SetUp', {
      handler: this.functions.setup,
      executeAfter: [settings],
      executeOnHandlerChange: true,
    });
    new CfnOutput(this, 'Url', { value: this.url });
  }

  #makeFunctions(parts: FunctionParts, { queue }: ModelEvents): Record<DeployedFunction, LambdaFunction> {
    const names: readonly DeployedFunction[] = [...(Object.keys(HTTP_FUNCTIONS) as HttpFunction[]), ...INNER_FUNCTIONS];
    const { operatorKeySecretArn, canaryKeySecretArn } = parts.resources;
    const setupVariables: SetupVariables = {
      SLUICE_OPERATOR_KEY_SECRET: operatorKeySecretArn,
      SLUICE_CANARY_KEY_SECRET: canaryKeySecretArn,
    };
    const { checks, slo } = parts.context.config;
    const watchVariables: WatchVariables = {
      SLUICE_CANARY_KEY_SECRET: canaryKeySecretArn,
      SLUICE_CHECKED_MODEL: checks.model ?? '',
      SLUICE_CHECKED_BODY: checks.model === undefined ? '' : JSON.stringify(checks.body),
      SLUICE_SLO: String(slo),
    };
    const { sagemaker, reservedConcurrency } = parts.context.config;
    const { modelPackageGroups, startReleases } = sagemaker;
    const packageVariables: ModelPackagesVariables = {
      SLUICE_MODEL_PACKAGE_GROUPS: modelPackageGroups.join(','),
      SLUICE_START_PACKAGE_RELEASES: startReleases ? 'yes' : 'no',
    };
    const qualityVariables: QualityVariables = { SLUICE_MODEL_EVENTS_QUEUE: queue.queueUrl };
    const waitingVariables = (name: 'infer' | 'predictions'): WaitingVariables => ({
      SLUICE_RESERVED_CONCURRENCY: String(reservedConcurrency[name] ?? ''),
    });
    const variablesOf = {
      setup: setupVariables,
      'model-packages': packageVariables,
      quality: qualityVariables,
      watch: watchVariables,
      infer: waitingVariables('infer'),
      predictions: waitingVariables('predictions'),
    };
    const made = names.map((name) => {
      const own = name in variablesOf ? { ...parts, variables: variablesOf[name as keyof typeof variablesOf] } : parts;
      return [name, new PlatformFunction(this, `Function-${name}`, name, own).function] as const;
    });
    return Object.fromEntries(made) as Record<DeployedFunction, LambdaFunction>;
  }

  #addressOf({ settings }: RegionContext): string {
    if (settings.domain !== undefined) return new ApiDomain(this, 'Domain', settings.domain, this.api.api).url;
    // The stage's address ends with a slash, which the addresses of regions do not.
    return `https://${this.api.api.restApiId}.execute-api.${this.region}.${this.urlSuffix}/${this.api.api.deploymentStage.stageName}`;
  }
}
