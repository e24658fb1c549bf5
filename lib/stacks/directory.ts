import { Fn, RemovalPolicy, Stack, type StackProps } from 'aws-cdk-lib';
import { AttributeType, Billing, TableEncryptionV2, TableV2 } from 'aws-cdk-lib/aws-dynamodb';
import type { Construct } from 'constructs';
import type { RegionKeys } from '../constructs/region-keys.ts';
import { directoryTableName, REGION_KEY_OUTPUT, stackName } from '../names.ts';
import type { RegionContext } from '../region-context.ts';

/**
 * Which region a tenant lives in, and nothing else of it, in every region: a write is seen in the others within about a second.
 * Each copy lies under its own region's key, so the foundations of all regions come first.
 */
export class Directory extends Stack {
  readonly table: TableV2;

  constructor(scope: Construct, id: string, props: StackProps, { config }: RegionContext, keys: RegionKeys) {
    super(scope, id, props);
    const others = Object.entries(config.regions).filter(([region]) => region !== config.primary);
    const replicaKeys = others.map(([region, { awsRegion }]) => {
      const foundation = stackName(config.deployment, region, 'foundation');
      return [awsRegion, Fn.getStackOutput(foundation, REGION_KEY_OUTPUT, awsRegion)] as const;
    });
    const recovery = {
      pointInTimeRecoveryEnabled: true,
      recoveryPeriodInDays: config.retention.tableRecoveryDays,
    };
    this.table = new TableV2(this, 'Directory', {
      tableName: directoryTableName(config.deployment),
      partitionKey: { name: 'pk', type: AttributeType.STRING },
      sortKey: { name: 'sk', type: AttributeType.STRING },
      billing: Billing.onDemand(),
      encryption: TableEncryptionV2.customerManagedKey(keys.data, Object.fromEntries(replicaKeys)),
      pointInTimeRecoverySpecification: recovery,
      deletionProtection: true,
      removalPolicy: RemovalPolicy.RETAIN,
      replicas: others.map(([, { awsRegion }]) => ({
        region: awsRegion,
        pointInTimeRecoverySpecification: recovery,
        deletionProtection: true,
      })),
    });
  }
}
