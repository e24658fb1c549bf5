import { describe, expect, test } from 'vitest';
import { CAPTURE_BLOB_DAYS, type Index, JOBS_INDEXES } from '../../adapters/aws/keys.ts';
import { makeApp, REGIONS, type Resource, Synthesized } from './support/synthesized.ts';

const made = new Synthesized(makeApp());

function tables(region: string): readonly Resource[] {
  return made.everything(region).filter(({ Type }) => Type === 'AWS::DynamoDB::GlobalTable');
}

function table(region: string, name: string) {
  const found = tables(region).find(({ Properties }) => Properties.TableName === name);
  if (found === undefined) throw new Error(`no table ${name}`);
  return { ...found.Properties, replicas: found.Properties.Replicas };
}

function bucket(region: string, name: string) {
  const buckets = Object.values(made.resources(region, 'modelStore', 'AWS::S3::Bucket'));
  return buckets.find(({ Properties }) => Properties.BucketName === `sluice-prod-${region}-${name}-111111111111`)!
    .Properties;
}

describe.each(REGIONS)('what region %s keeps', (region) => {
  test('every table lies under a customer key, outlives its stack and is protected from a slip', () => {
    for (const { Properties, DeletionPolicy } of tables(region)) {
      expect(Properties.SSESpecification).toEqual({ SSEEnabled: true, SSEType: 'KMS' });
      expect(DeletionPolicy).toBe('Retain');
      for (const replica of Properties.Replicas) {
        expect(replica.DeletionProtectionEnabled).toBe(true);
        expect(replica.SSESpecification.KMSMasterKeyId).toBeDefined();
      }
    }
  });

  test('every table can be restored, but the one whose keys must stay destroyed', () => {
    for (const name of ['control', 'jobs', 'limits']) {
      expect(table(region, `sluice-prod-${region}-${name}`).replicas[0].PointInTimeRecoverySpecification).toEqual({
        PointInTimeRecoveryEnabled: true,
        RecoveryPeriodInDays: 35,
      });
    }
    const [dataKeys] = table(region, `sluice-prod-${region}-data-keys`).replicas;
    expect(dataKeys.PointInTimeRecoverySpecification).toEqual({ PointInTimeRecoveryEnabled: false });
  });

  test('items expire by the attribute that the adapters write', () => {
    for (const name of ['control', 'jobs', 'limits', 'telemetry']) {
      const { TimeToLiveSpecification: found } = table(region, `sluice-prod-${region}-${name}`);
      expect(found).toEqual({ AttributeName: 'ttl', Enabled: true });
    }
    expect(table(region, `sluice-prod-${region}-data-keys`).TimeToLiveSpecification).toBeUndefined();
  });

  test('the jobs table has the indexes of keys.ts and no other', () => {
    const { GlobalSecondaryIndexes: indexes, AttributeDefinitions } = table(region, `sluice-prod-${region}-jobs`);
    const expected = JOBS_INDEXES.map(({ name, partition, order, included }: Index) => ({
      IndexName: name,
      KeySchema: [
        { AttributeName: partition, KeyType: 'HASH' },
        { AttributeName: order, KeyType: 'RANGE' },
      ],
      Projection:
        included.length === 0
          ? { ProjectionType: 'KEYS_ONLY' }
          : { ProjectionType: 'INCLUDE', NonKeyAttributes: included },
    }));
    expect(indexes).toEqual(expected);
    for (const { partition, order } of JOBS_INDEXES) {
      expect(AttributeDefinitions).toContainEqual({ AttributeName: partition, AttributeType: 'S' });
      expect(AttributeDefinitions).toContainEqual({ AttributeName: order, AttributeType: 'N' });
    }
  });

  test('no table but the directory has a copy in another region', () => {
    for (const { Properties } of tables(region)) {
      const regions = Properties.Replicas.map(({ Region }: { Region: string }) => Region);
      if (Properties.TableName === 'sluice-prod-directory')
        expect(regions.toSorted()).toEqual(['eu-central-1', 'us-east-1']);
      else expect(regions).toHaveLength(1);
    }
  });

  test('buckets are encrypted, closed to the public and to anything but TLS, logged, and outlive their stack', () => {
    const buckets = Object.entries(made.resources(region, 'modelStore', 'AWS::S3::Bucket'));
    expect(buckets).toHaveLength(3);
    const policies = Object.values(made.resources(region, 'modelStore', 'AWS::S3::BucketPolicy'));
    for (const [id, { Properties, DeletionPolicy }] of buckets) {
      const closed = {
        BlockPublicAcls: true,
        BlockPublicPolicy: true,
        IgnorePublicAcls: true,
        RestrictPublicBuckets: true,
      };
      expect(Properties.PublicAccessBlockConfiguration).toEqual(closed);
      expect(DeletionPolicy).toBe('Retain');
      const [rule] = Properties.BucketEncryption.ServerSideEncryptionConfiguration;
      const isLog = Properties.BucketName === undefined;
      expect(rule.ServerSideEncryptionByDefault.SSEAlgorithm).toBe(isLog ? 'AES256' : 'aws:kms');
      if (!isLog) expect(Properties.LoggingConfiguration.DestinationBucketName).toBeDefined();
      const own = policies.filter(({ Properties: { Bucket } }) => Bucket.Ref === id);
      expect(JSON.stringify(own)).toContain('"aws:SecureTransport":"false"');
    }
  });

  test('payloads are forgotten in time, and parts of uploads that were broken off', () => {
    const { Rules } = bucket(region, 'payloads').LifecycleConfiguration;
    const expiries = Object.fromEntries(
      Rules.filter(({ Prefix }: { Prefix?: string }) => Prefix !== undefined).map(
        ({ Prefix, ExpirationInDays }: { Prefix: string; ExpirationInDays: number }) => [Prefix, ExpirationInDays],
      ),
    );
    const captures = Object.fromEntries(CAPTURE_BLOB_DAYS.map((days) => [`captures/${days}/`, days]));
    expect(expiries).toEqual({ 'uploads/': 1, 'tenants/': 2, ...captures });
    for (const name of ['payloads', 'artifacts']) {
      expect(JSON.stringify(bucket(region, name).LifecycleConfiguration)).toContain('"DaysAfterInitiation":1');
    }
  });

  test('a browser may send an upload to the address that it was given, and nothing else', () => {
    const { CorsRules } = bucket(region, 'payloads').CorsConfiguration;
    expect(CorsRules).toEqual([expect.objectContaining({ AllowedMethods: ['PUT'], AllowedOrigins: ['*'] })]);
    expect(bucket(region, 'artifacts').CorsConfiguration).toBeUndefined();
  });

  test('secrets are made without a value, under the key', () => {
    const secrets = Object.values(made.resources(region, 'data', 'AWS::SecretsManager::Secret'));
    expect(secrets).toHaveLength(3);
    for (const { Properties } of secrets) {
      expect(Properties.KmsKeyId).toBeDefined();
      expect(Properties.GenerateSecretString).toBeUndefined();
      expect(Properties.SecretString).toBeUndefined();
    }
  });

  test('both keys are rotated', () => {
    const keys = Object.values(made.resources(region, 'foundation', 'AWS::KMS::Key'));
    expect(keys.map(({ Properties }) => Properties.EnableKeyRotation)).toEqual([true, true]);
  });

  test('every log is under a key and ends after the configured time', () => {
    const logs = made.everything(region).filter(({ Type }) => Type === 'AWS::Logs::LogGroup');
    expect(logs.length).toBeGreaterThan(10);
    for (const { Properties, id } of logs) {
      expect(Properties.RetentionInDays, id).toBe(365);
      expect(Properties.KmsKeyId, id).toBeDefined();
    }
  });
});

test('model files go from the primary region to the other, encrypted there by its key, and nothing else goes anywhere', () => {
  const { ReplicationConfiguration } = bucket('us', 'artifacts');
  expect(ReplicationConfiguration.Rules).toEqual([
    expect.objectContaining({
      Id: 'to-eu',
      Status: 'Enabled',
      Filter: { Prefix: 'artifacts/' },
      DeleteMarkerReplication: { Status: 'Disabled' },
      SourceSelectionCriteria: { SseKmsEncryptedObjects: { Status: 'Enabled' } },
    }),
  ]);
  const [{ Destination }] = ReplicationConfiguration.Rules;
  expect(JSON.stringify(Destination)).toContain('sluice-prod-eu-artifacts-111111111111');
  expect(Destination.EncryptionConfiguration.ReplicaKmsKeyID).toEqual({
    'Fn::GetStackOutput': {
      StackName: 'sluice-prod-eu-foundation',
      OutputName: 'RegionKeyArn',
      Region: 'eu-central-1',
    },
  });
  expect(made.template('eu', 'foundation').toJSON().Outputs.RegionKeyArn).toBeDefined();
  for (const [region, name] of [
    ['us', 'payloads'],
    ['eu', 'payloads'],
    ['eu', 'artifacts'],
  ] as const) {
    expect(bucket(region, name).ReplicationConfiguration).toBeUndefined();
  }
});
