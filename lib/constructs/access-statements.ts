import { Aws } from 'aws-cdk-lib';
import { PolicyStatement, type PolicyStatementProps } from 'aws-cdk-lib/aws-iam';
import { JOBS_INDEXES } from '../../adapters/aws/keys.ts';
import type { Access } from '../access.ts';
import type { RegionResources, TableName } from '../region-resources.ts';

const TABLE_READS = ['dynamodb:GetItem', 'dynamodb:BatchGetItem', 'dynamodb:Query'];
const TABLE_WRITES = [
  'dynamodb:PutItem',
  'dynamodb:UpdateItem',
  'dynamodb:DeleteItem',
  'dynamodb:BatchWriteItem',
  'dynamodb:ConditionCheckItem',
];
const OBJECT_ACTIONS = {
  read: ['s3:GetObject'],
  write: ['s3:GetObject', 's3:PutObject', 's3:DeleteObject', 's3:AbortMultipartUpload'],
  erase: ['s3:DeleteObject'],
} as const;

/** The policy of a process: each statement with the resources it is about. */
export function accessStatements(access: Access, resources: RegionResources): readonly PolicyStatement[] {
  const { settingsParameter, signingKeySecretArn, operatorKeySecretArn, canaryKeySecretArn } = resources;
  return [
    ...tableStatements(access, resources),
    ...bucketStatements(access, resources),
    ...keyStatements(access, resources),
    ...queueStatements(access, resources),
    ...(access.modelPackages ? modelPackageStatements(resources.modelPackages) : []),
    ...(access.settings ? [allow(['ssm:GetParameter'], [settingsParameter.arn])] : []),
    ...(access.signingKey === undefined ? [] : [secretStatement(access.signingKey, signingKeySecretArn)]),
    ...(access.operatorKey === undefined ? [] : [secretStatement(access.operatorKey, operatorKeySecretArn)]),
    ...(access.canaryKey === undefined ? [] : [secretStatement(access.canaryKey, canaryKeySecretArn)]),
  ];
}

function tableStatements({ tables, dataKeys }: Access, resources: RegionResources): PolicyStatement[] {
  const wanted: Partial<Record<TableName, 'read' | 'write'>> = { ...tables, ...(dataKeys && { dataKeys: 'write' }) };
  return Object.entries(wanted).map(([table, mode]) => {
    const { arn } = resources.tables[table as TableName];
    const indexes = table === 'jobs' ? JOBS_INDEXES.map(({ name }) => `${arn}/index/${name}`) : [];
    return allow(mode === 'read' ? TABLE_READS : [...TABLE_READS, ...TABLE_WRITES], [arn, ...indexes]);
  });
}

function bucketStatements({ artifacts, payloads, uploads }: Access, { buckets }: RegionResources): PolicyStatement[] {
  return [
    ...(artifacts === undefined ? [] : objectStatements(buckets.artifacts.arn, ['artifacts'], artifacts)),
    ...(payloads === undefined ? [] : objectStatements(buckets.payloads.arn, ['tenants', 'captures'], payloads)),
    ...(uploads === undefined ? [] : objectStatements(buckets.payloads.arn, ['uploads'], 'write')),
  ];
}

function objectStatements(
  bucketArn: string,
  prefixes: readonly string[],
  mode: keyof typeof OBJECT_ACTIONS,
): PolicyStatement[] {
  const objects = prefixes.map((prefix) => `${prefix}/*`);
  return [
    allow(
      OBJECT_ACTIONS[mode],
      objects.map((object) => `${bucketArn}/${object}`),
    ),
    // To find all of a tenant's; and without it S3 says of a missing object that it is forbidden.
    allow(['s3:ListBucket'], [bucketArn], { StringLike: { 's3:prefix': objects } }),
  ];
}

/** The key by way of the services that store, and itself only to make and open tenants' data keys. */
function keyStatements({ dataKeys }: Access, { dataKey }: RegionResources): PolicyStatement[] {
  const { region } = dataKey.env;
  const services = ['dynamodb', 's3', 'sqs', 'secretsmanager'].map((service) => `${service}.${region}.amazonaws.com`);
  const statements = [
    allow(['kms:Decrypt', 'kms:GenerateDataKey', 'kms:DescribeKey'], [dataKey.keyArn], {
      StringEquals: { 'kms:ViaService': services },
    }),
  ];
  if (dataKeys) {
    const condition = { StringEquals: { 'kms:EncryptionContext:purpose': 'data-key' } };
    statements.push(allow(['kms:Decrypt', 'kms:GenerateDataKey'], [dataKey.keyArn], condition));
  }
  return statements;
}

function queueStatements(
  access: Access,
  { queueArns, deadLetterArns, serviceArns }: RegionResources,
): PolicyStatement[] {
  const statements: PolicyStatement[] = [];
  if (access.queues === 'look') statements.push(allow(['sqs:GetQueueAttributes'], queueArns));
  if (access.queues === 'send') {
    statements.push(allow(['sqs:SendMessage', 'sqs:GetQueueAttributes'], queueArns));
  }
  if (access.queues === 'work') {
    const works = ['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:ChangeMessageVisibility', 'sqs:GetQueueAttributes'];
    // What is handed back to another pool or lane is sent, what is given up goes to the dead letters.
    statements.push(allow([...works, 'sqs:SendMessage'], queueArns), allow(['sqs:SendMessage'], deadLetterArns));
  }
  if (access.deadLetters) {
    statements.push(allow(['sqs:ReceiveMessage', 'sqs:DeleteMessage'], deadLetterArns));
  }
  if (access.wakesPools && serviceArns.length > 0) {
    statements.push(allow(['ecs:UpdateService', 'ecs:DescribeServices'], serviceArns));
  }
  return statements;
}

function modelPackageStatements({ packageArns, modelBuckets }: RegionResources['modelPackages']): PolicyStatement[] {
  if (packageArns.length === 0) return [];
  const read = ['sagemaker:DescribeModelPackage', 'sagemaker:UpdateModelPackage'];
  return [
    allow(read, packageArns),
    ...modelBuckets.flatMap((bucket) => [
      allow(['s3:GetObject'], [`arn:${Aws.PARTITION}:s3:::${bucket}/*`]),
      allow(['s3:ListBucket'], [`arn:${Aws.PARTITION}:s3:::${bucket}`]),
    ]),
  ];
}

function secretStatement(mode: 'read' | 'write', arn: string): PolicyStatement {
  const reads = ['secretsmanager:GetSecretValue', 'secretsmanager:DescribeSecret'];
  return allow(mode === 'read' ? reads.slice(0, 1) : [...reads, 'secretsmanager:PutSecretValue'], [arn]);
}

function allow(
  actions: readonly string[],
  resources: readonly string[],
  conditions?: NonNullable<PolicyStatementProps['conditions']>,
): PolicyStatement {
  return new PolicyStatement({
    actions: [...actions],
    resources: [...resources],
    ...(conditions !== undefined && { conditions }),
  });
}
