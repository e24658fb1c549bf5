import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { RegionVariables } from '../adapters/aws/environment.ts';
import { usdPerRunnerHour } from './pool-prices.ts';
import type { RegionContext } from './region-context.ts';

export type TableName = 'directory' | 'control' | 'jobs' | 'limits' | 'dataKeys' | 'telemetry';

/** What of a region keeps something. Names and ARNs may be tokens. */
export type RegionStores = {
  readonly tables: { readonly [Name in TableName]: { readonly name: string; readonly arn: string } };
  readonly buckets: { readonly [Name in 'artifacts' | 'payloads']: { readonly name: string; readonly arn: string } };
  readonly dataKey: IKey;
  readonly operationsKey: IKey;
  readonly signingKeySecretArn: string;
  readonly operatorKeySecretArn: string;
  readonly canaryKeySecretArn: string;
  /** Of the SageMaker Model Registry: packages that may become versions, and buckets that their models lie in. */
  readonly modelPackages: { readonly packageArns: readonly string[]; readonly modelBuckets: readonly string[] };
  readonly settingsParameter: { readonly name: string; readonly arn: string };
};

/** What processes of a region are given to work with. */
export type RegionResources = RegionStores & {
  /** Queues of every pool, without dead letters. */
  readonly queueArns: readonly string[];
  readonly deadLetterArns: readonly string[];
  /** Beginning of every queue's URL. */
  readonly queuesUrl: string;
  readonly cluster: string;
  /** What starts a pool from zero; empty where the cluster sees to that itself. */
  readonly serviceArns: readonly string[];
};

/** What every process of a region is told. */
export function regionVariables(context: RegionContext, resources: RegionResources): RegionVariables {
  const { config, region, settings } = context;
  const { tables, buckets } = resources;
  const pools = Object.entries(settings.pools);
  const bridges = pools.flatMap(([pool, { bridge }]) => (bridge === undefined ? [] : [`${pool}=${bridge}`]));
  return {
    SLUICE_DEPLOYMENT: config.deployment,
    SLUICE_REGION: region,
    SLUICE_DIRECTORY_TABLE: tables.directory.name,
    SLUICE_CONTROL_TABLE: tables.control.name,
    SLUICE_JOBS_TABLE: tables.jobs.name,
    SLUICE_LIMITS_TABLE: tables.limits.name,
    SLUICE_DATA_KEYS_TABLE: tables.dataKeys.name,
    SLUICE_TELEMETRY_TABLE: tables.telemetry.name,
    SLUICE_ARTIFACTS_BUCKET: buckets.artifacts.name,
    SLUICE_PAYLOADS_BUCKET: buckets.payloads.name,
    SLUICE_KEY_ID: resources.dataKey.keyArn,
    SLUICE_QUEUES_URL: resources.queuesUrl,
    SLUICE_POOLS: pools.map(([pool]) => pool).join(','),
    SLUICE_BRIDGES: bridges.join(','),
    SLUICE_CLUSTER: resources.serviceArns.length === 0 ? '' : resources.cluster,
    SLUICE_SETTINGS_PARAMETER: resources.settingsParameter.name,
    SLUICE_SIGNING_KEY_SECRET: resources.signingKeySecretArn,
    SLUICE_USD_PER_COMPUTE_HOUR: String(usdPerRunnerHour(context)),
    SLUICE_TRACES_URL: config.traces?.url ?? '',
    SLUICE_TRACES_SHARE: String(config.traces?.share ?? 0),
  };
}
