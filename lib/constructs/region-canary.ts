import { Duration, Stack } from 'aws-cdk-lib';
import { PolicyStatement, type PolicyStatementProps, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { Bucket, IBucket } from 'aws-cdk-lib/aws-s3';
import { Canary, Code, Runtime, RuntimeFamily, Schedule, Test } from 'aws-cdk-lib/aws-synthetics';
import { Construct } from 'constructs';
import { regionPrefix } from '../names.ts';
import type { RegionContext } from '../region-context.ts';
import type { RegionKeys } from './region-keys.ts';
import { accessLogBucket, sealedBucket } from './sealed-bucket.ts';

/** Node without a browser; CDK has no name for it yet. */
const RUNTIME = new Runtime('syn-nodejs-3.1', RuntimeFamily.NODEJS);
const NAMESPACE = 'CloudWatchSynthetics';
const KEPT_DAYS = 30;

export type CanaryParts = {
  readonly context: RegionContext;
  /** Where callers reach the region. */
  readonly url: string;
  readonly folder: string;
  /** Of the secret with the key of the canary tenant. */
  readonly keySecretArn: string;
  readonly keys: RegionKeys;
};

/** Asks the region from outside, as a caller, every few minutes: see `lambdas/canary/main.ts`. */
export class RegionCanary extends Construct {
  readonly canary: Canary;

  constructor(scope: Construct, id: string, parts: CanaryParts) {
    super(scope, id);
    const { context, url, folder, keySecretArn, keys } = parts;
    const { config, region } = context;
    const { model, body, everyMinutes } = config.checks;
    const logs = accessLogBucket(this, 'AccessLogs', config.retention.logDays);
    const bucket = sealedBucket(this, 'Results', {
      key: keys.operations,
      logs,
      lifecycleRules: [{ expiration: Duration.days(KEPT_DAYS) }],
    });
    const name = `${regionPrefix(config.deployment, region)}-checks`;
    this.canary = new Canary(this, 'Canary', {
      canaryName: name,
      runtime: RUNTIME,
      test: Test.custom({ code: Code.fromAsset(folder), handler: 'index.handler' }),
      schedule: Schedule.rate(Duration.minutes(everyMinutes)),
      timeout: Duration.minutes(1),
      role: this.#role(name, bucket, parts),
      artifactsBucketLocation: { bucket: bucket as IBucket, prefix: 'checks' },
      successRetentionPeriod: Duration.days(KEPT_DAYS),
      failureRetentionPeriod: Duration.days(KEPT_DAYS),
      environmentVariables: {
        SLUICE_REGION: region,
        SLUICE_URL: url,
        SLUICE_CANARY_KEY_SECRET: keySecretArn,
        SLUICE_CHECKED_MODEL: model ?? '',
        SLUICE_CHECKED_BODY: JSON.stringify(body),
      },
      provisionedResourceCleanup: true,
    });
  }

  #role(name: string, bucket: Bucket, { keySecretArn, keys }: CanaryParts): Role {
    const { region, account, partition } = Stack.of(this);
    const role = new Role(this, 'Role', { assumedBy: new ServicePrincipal('lambda.amazonaws.com') });
    const allow = (
      actions: readonly string[],
      resource: string,
      conditions?: NonNullable<PolicyStatementProps['conditions']>,
    ) => {
      const statement = { actions: [...actions], resources: [resource], ...(conditions && { conditions }) };
      role.addToPolicy(new PolicyStatement(statement));
    };
    allow(['secretsmanager:GetSecretValue'], keySecretArn);
    allow(['kms:Decrypt'], keys.data.keyArn, {
      StringEquals: { 'kms:ViaService': `secretsmanager.${region}.amazonaws.com` },
    });
    allow(['s3:PutObject'], bucket.arnForObjects('checks/*'));
    allow(['s3:GetBucketLocation'], bucket.bucketArn);
    allow(['kms:GenerateDataKey', 'kms:Decrypt'], keys.operations.keyArn, {
      StringEquals: { 'kms:ViaService': `s3.${region}.amazonaws.com` },
    });
    allow(
      ['logs:CreateLogGroup', 'logs:CreateLogStream', 'logs:PutLogEvents'],
      `arn:${partition}:logs:${region}:${account}:log-group:/aws/lambda/cwsyn-${name}-*`,
    );
    allow(['cloudwatch:PutMetricData'], '*', { StringEquals: { 'cloudwatch:namespace': NAMESPACE } });
    return role;
  }
}
