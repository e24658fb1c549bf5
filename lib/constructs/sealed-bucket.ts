import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import {
  BlockPublicAccess,
  Bucket,
  BucketEncryption,
  type BucketProps,
  type IBucket,
  ObjectOwnership,
} from 'aws-cdk-lib/aws-s3';
import type { Construct } from 'constructs';

/** A bucket under the region's key that nobody reaches from outside or without TLS, whose readers are logged, and that outlives its stack. */
export function sealedBucket(
  scope: Construct,
  id: string,
  { key, logs, ...props }: BucketProps & { readonly key: IKey; readonly logs: IBucket },
): Bucket {
  return new Bucket(scope, id, {
    ...props,
    encryption: BucketEncryption.KMS,
    encryptionKey: key,
    // One KMS call a bucket and minute instead of one an object.
    bucketKeyEnabled: true,
    blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
    objectOwnership: ObjectOwnership.BUCKET_OWNER_ENFORCED,
    enforceSSL: true,
    minimumTLSVersion: 1.2,
    serverAccessLogsBucket: logs,
    serverAccessLogsPrefix: `${id.toLowerCase()}/`,
    removalPolicy: RemovalPolicy.RETAIN,
  });
}

/** Where S3 writes who read what; it can only write to buckets without a key of ours. */
export function accessLogBucket(scope: Construct, id: string, keptDays: number): IBucket {
  return new Bucket(scope, id, {
    encryption: BucketEncryption.S3_MANAGED,
    blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
    objectOwnership: ObjectOwnership.BUCKET_OWNER_ENFORCED,
    enforceSSL: true,
    minimumTLSVersion: 1.2,
    lifecycleRules: [{ expiration: Duration.days(keptDays) }],
    removalPolicy: RemovalPolicy.RETAIN,
  }) as IBucket;
}
