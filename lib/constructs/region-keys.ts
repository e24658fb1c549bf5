import { RemovalPolicy, Stack } from 'aws-cdk-lib';
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Key } from 'aws-cdk-lib/aws-kms';
import { Construct } from 'constructs';
import { regionPrefix } from '../names.ts';
import type { RegionContext } from '../region-context.ts';

/**
 * A region's two keys, both rotated every year: `data` for all that is stored of tenants and models, `operations` for logs
 * and alarms, so that who reads those opens nothing else. The account decides by IAM who may use them.
 */
export class RegionKeys extends Construct {
  readonly data: Key;
  readonly operations: Key;

  constructor(scope: Construct, id: string, { config, region }: RegionContext) {
    super(scope, id);
    const prefix = regionPrefix(config.deployment, region);
    this.data = new Key(this, 'Data', {
      alias: `${prefix}-data`,
      description: `Sluice ${config.deployment}, ${region}: tables, queues, buckets, data keys`,
      enableKeyRotation: true,
      removalPolicy: RemovalPolicy.RETAIN,
    });
    this.operations = new Key(this, 'Operations', {
      alias: `${prefix}-operations`,
      description: `Sluice ${config.deployment}, ${region}: logs and alarms`,
      enableKeyRotation: true,
      removalPolicy: RemovalPolicy.RETAIN,
    });
    this.#letLogsUse(this.operations);
    this.#letDeliveriesUse(this.operations);
    this.#letAlarmsUse(this.operations);
  }

  #letLogsUse(key: Key): void {
    const { region, account, partition } = Stack.of(this);
    key.addToResourcePolicy(
      new PolicyStatement({
        principals: [new ServicePrincipal('logs.amazonaws.com')],
        actions: ['kms:Encrypt', 'kms:Decrypt', 'kms:ReEncrypt*', 'kms:GenerateDataKey*', 'kms:DescribeKey'],
        resources: ['*'],
        conditions: {
          ArnLike: { 'kms:EncryptionContext:aws:logs:arn': `arn:${partition}:logs:${region}:${account}:log-group:*` },
        },
      }),
    );
  }

  /** Step Functions has its log delivered, what is in it under the key of the state machine. */
  #letDeliveriesUse(key: Key): void {
    const { region, account, partition } = Stack.of(this);
    key.addToResourcePolicy(
      new PolicyStatement({
        principals: [new ServicePrincipal('delivery.logs.amazonaws.com')],
        actions: ['kms:Decrypt'],
        resources: ['*'],
        conditions: {
          StringEquals: { 'kms:EncryptionContext:SourceArn': `arn:${partition}:logs:${region}:${account}:*` },
        },
      }),
    );
  }

  /** Alarms, and rules that tell of releases, publish to encrypted topics. */
  #letAlarmsUse(key: Key): void {
    key.addToResourcePolicy(
      new PolicyStatement({
        principals: [new ServicePrincipal('cloudwatch.amazonaws.com'), new ServicePrincipal('events.amazonaws.com')],
        actions: ['kms:Decrypt', 'kms:GenerateDataKey*'],
        resources: ['*'],
        conditions: { StringEquals: { 'aws:SourceAccount': Stack.of(this).account } },
      }),
    );
  }
}
