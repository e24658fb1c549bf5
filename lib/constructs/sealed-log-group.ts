import { RemovalPolicy } from 'aws-cdk-lib';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';
import type { Config } from '../config.ts';

/** A log group under the operations key that is kept as long as the configuration says, also when its stack goes. */
export function sealedLogGroup(
  scope: Construct,
  id: string,
  { config, key, name }: { readonly config: Config; readonly key: IKey; readonly name?: string },
): LogGroup {
  return new LogGroup(scope, id, {
    encryptionKey: key,
    // The days of the configuration are those that CDK names.
    retention: config.retention.logDays,
    removalPolicy: RemovalPolicy.RETAIN,
    ...(name !== undefined && { logGroupName: name }),
  });
}
