import { RemovalPolicy } from 'aws-cdk-lib';
import {
  AttributeType,
  Billing,
  type GlobalSecondaryIndexPropsV2,
  ProjectionType,
  StreamViewType,
  TableEncryptionV2,
  TableV2,
} from 'aws-cdk-lib/aws-dynamodb';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { Construct } from 'constructs';
import type { Index } from '../../adapters/aws/keys.ts';

export type TableOptions = {
  readonly name: string;
  readonly key: IKey;
  /** Undefined: no earlier state can be restored. */
  readonly recoveryDays: number | undefined;
  /** Items with a time in `ttl` are deleted some time after it. */
  readonly expires: boolean;
  readonly indexes?: readonly Index[];
  /** What its stream carries; undefined: it has none. */
  readonly stream?: keyof typeof StreamViewType;
};

/** A table of `pk` and `sk`, paid by request, under the region's key, that neither a stack nor a slip deletes. */
export function sealedTable(scope: Construct, id: string, options: TableOptions): TableV2 {
  const { recoveryDays } = options;
  return new TableV2(scope, id, {
    tableName: options.name,
    partitionKey: { name: 'pk', type: AttributeType.STRING },
    sortKey: { name: 'sk', type: AttributeType.STRING },
    billing: Billing.onDemand(),
    encryption: TableEncryptionV2.customerManagedKey(options.key),
    pointInTimeRecoverySpecification: {
      pointInTimeRecoveryEnabled: recoveryDays !== undefined,
      ...(recoveryDays !== undefined && { recoveryPeriodInDays: recoveryDays }),
    },
    deletionProtection: true,
    removalPolicy: RemovalPolicy.RETAIN,
    globalSecondaryIndexes: (options.indexes ?? []).map(indexProps),
    ...(options.expires && { timeToLiveAttribute: 'ttl' }),
    ...(options.stream !== undefined && { dynamoStream: StreamViewType[options.stream] }),
  });
}

function indexProps({ name, partition, order, included }: Index): GlobalSecondaryIndexPropsV2 {
  return {
    indexName: name,
    partitionKey: { name: partition, type: AttributeType.STRING },
    sortKey: { name: order, type: AttributeType.NUMBER },
    ...(included.length === 0
      ? { projectionType: ProjectionType.KEYS_ONLY }
      : { projectionType: ProjectionType.INCLUDE, nonKeyAttributes: [...included] }),
  };
}
