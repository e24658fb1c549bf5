import { Duration, Fn, Stack, type StackProps } from 'aws-cdk-lib';
import { Key } from 'aws-cdk-lib/aws-kms';
import { Bucket, HttpMethods, type ReplicationRule } from 'aws-cdk-lib/aws-s3';
import type { Construct } from 'constructs';
import { CAPTURE_BLOB_DAYS } from '../../adapters/aws/keys.ts';
import type { RegionKeys } from '../constructs/region-keys.ts';
import { accessLogBucket, sealedBucket } from '../constructs/sealed-bucket.ts';
import { bucketName, REGION_KEY_OUTPUT, stackName } from '../names.ts';
import type { RegionContext } from '../region-context.ts';

/** Model files go to the other regions, and nothing else does. */
const REPLICATED_PREFIX = 'artifacts/';

/** The region's two buckets: model files, which the primary region sends to all others, and what is of tenants, which stays. */
export class ModelStore extends Stack {
  readonly artifacts: Bucket;
  readonly payloads: Bucket;

  constructor(scope: Construct, id: string, props: StackProps, context: RegionContext, keys: RegionKeys) {
    super(scope, id, props);
    const { config, region } = context;
    const logs = accessLogBucket(this, 'AccessLogs', config.retention.logDays);
    const named = (name: string) => bucketName(config.deployment, region, config.account, name);
    this.artifacts = sealedBucket(this, 'Artifacts', {
      key: keys.data,
      logs,
      bucketName: named('artifacts'),
      versioned: true,
      lifecycleRules: [
        { abortIncompleteMultipartUploadAfter: Duration.days(1) },
        { noncurrentVersionExpiration: Duration.days(30), expiredObjectDeleteMarker: true },
      ],
      replicationRules: context.isPrimary ? this.#toOthers(context) : [],
    });
    this.payloads = sealedBucket(this, 'Payloads', {
      key: keys.data,
      logs,
      bucketName: named('payloads'),
      lifecycleRules: [
        { abortIncompleteMultipartUploadAfter: Duration.days(1) },
        { prefix: 'uploads/', expiration: Duration.days(1) },
        // Results live a day; S3 counts whole days from the next midnight.
        { prefix: 'tenants/', expiration: Duration.days(2) },
        ...CAPTURE_BLOB_DAYS.map((days) => ({ prefix: `captures/${days}/`, expiration: Duration.days(days) })),
      ],
      // An upload goes to a signed address, from the pages of any tenant.
      cors: [
        {
          allowedMethods: [HttpMethods.PUT],
          allowedOrigins: ['*'],
          allowedHeaders: ['content-type', 'content-length'],
          maxAge: 600,
        },
      ],
    });
  }

  #toOthers({ config }: RegionContext): ReplicationRule[] {
    const others = Object.entries(config.regions).filter(([id]) => id !== config.primary);
    return others.map(([id, { awsRegion }], priority) => {
      const name = bucketName(config.deployment, id, config.account, 'artifacts');
      const foundation = stackName(config.deployment, id, 'foundation');
      return {
        id: `to-${id}`,
        priority,
        destination: Bucket.fromBucketAttributes(this, `ArtifactsOf-${id}`, { bucketName: name, region: awsRegion }),
        filter: { prefix: REPLICATED_PREFIX },
        // S3 wants the key itself, not an alias.
        kmsKey: Key.fromKeyArn(this, `KeyOf-${id}`, Fn.getStackOutput(foundation, REGION_KEY_OUTPUT, awsRegion)),
        sseKmsEncryptedObjects: true,
        deleteMarkerReplication: false,
      };
    });
  }
}
