import { describe, expect, test } from 'vitest';
import { keyNeedsOf, needsOf, needsOfMissing, signerOf } from '../support/aws/iam-calls.ts';
import { isAllowed, type Statement } from '../support/aws/iam-policy.ts';

const PLACE = { region: 'us-east-1', account: '000000000000' };
const TABLE = 'arn:aws:dynamodb:us-east-1:000000000000:table/jobs';

function s3(method: string, url: string, body = '') {
  return needsOf('s3', { method, url, headers: {}, body: Buffer.from(body) }, PLACE);
}

function json(service: string, target: string, input: object) {
  const headers = { 'x-amz-target': target };
  return needsOf(service, { method: 'POST', url: '/', headers, body: Buffer.from(JSON.stringify(input)) }, PLACE);
}

describe('a policy', () => {
  const allow = (statement: Partial<Statement>): Statement[] => [
    { Effect: 'Allow', Action: 's3:GetObject', Resource: 'arn:aws:s3:::b/tenants/*', ...statement },
  ];
  const reading = (key: string, action = 's3:GetObject') => ({
    action,
    resource: `arn:aws:s3:::b/${key}`,
    context: {},
  });

  test('allows its actions on its resources, by wildcards, and nothing else', () => {
    expect(isAllowed(allow({}), reading('tenants/acme/x'))).toBe(true);
    expect(isAllowed(allow({}), reading('uploads/x'))).toBe(false);
    expect(isAllowed(allow({}), reading('tenants/acme/x', 's3:PutObject'))).toBe(false);
    expect(isAllowed(allow({ Resource: 'arn:aws:s3:::b/tenants.*' }), reading('tenants/x'))).toBe(false);
    expect(isAllowed([], reading('tenants/x'))).toBe(false);
  });

  test('with a condition allows only what says so, and with several only what meets each', () => {
    const conditions = { StringLike: { 's3:prefix': ['tenants/*', 'captures/*'] }, StringEquals: { a: 'b' } };
    const asked = (context: Record<string, string>) =>
      isAllowed(allow({ Condition: conditions }), { ...reading('tenants/x'), context });
    expect(asked({ 's3:prefix': 'captures/1', a: 'b' })).toBe(true);
    expect(asked({ 's3:prefix': 'uploads/1', a: 'b' })).toBe(false);
    expect(asked({ 's3:prefix': 'captures/1' })).toBe(false);
    expect(asked({})).toBe(false);
  });

  test.each<Partial<Statement>>([
    { Effect: 'Deny' },
    { Condition: { NumericLessThan: { 's3:max-keys': '5' } } },
    { NotAction: 's3:*' } as Partial<Statement>,
  ])('that is not understood is an error, not an answer: %j', (statement) => {
    expect(() => isAllowed(allow(statement), reading('tenants/x'))).toThrow('not understood');
  });
});

describe('a call over the wire', () => {
  test('is its signer\u2019s, by its header or by a signed URL', () => {
    const authorization =
      'AWS4-HMAC-SHA256 Credential=TEST-infer/20261128/us-east-1/dynamodb/aws4_request, SignedHeaders=host';
    expect(signerOf({ url: '/', headers: { authorization } })).toEqual({
      accessKeyId: 'TEST-infer',
      service: 'dynamodb',
    });
    const url = '/b/uploads/1?X-Amz-Credential=TEST-control%2F20261128%2Fus-east-1%2Fs3%2Faws4_request';
    expect(signerOf({ url, headers: {} })).toEqual({ accessKeyId: 'TEST-control', service: 's3' });
    expect(signerOf({ url: '/', headers: {} })).toBeUndefined();
  });

  test('to DynamoDB needs each item of a transaction, each table of a batch, and an index by its own name', () => {
    const of = (operation: string, input: object) =>
      json('dynamodb', `DynamoDB_20120810.${operation}`, input).map(({ action, resource }) => [action, resource]);
    const items = [{ Put: { TableName: 'jobs' } }, { ConditionCheck: { TableName: 'jobs' } }];
    expect(of('TransactWriteItems', { TransactItems: items })).toEqual([
      ['dynamodb:PutItem', TABLE],
      ['dynamodb:ConditionCheckItem', TABLE],
    ]);
    expect(of('BatchGetItem', { RequestItems: { jobs: {} } })).toEqual([['dynamodb:BatchGetItem', TABLE]]);
    expect(of('Query', { TableName: 'jobs', IndexName: 'notice' })).toEqual([
      ['dynamodb:Query', `${TABLE}/index/notice`],
    ]);
    expect(() => of('ListTables', {})).toThrow('nothing is known');
  });

  test('to S3 needs what its method, path and query say', () => {
    const of = (...call: Parameters<typeof s3>) => s3(...call).map(({ action, resource }) => `${action} ${resource}`);
    expect(of('GET', '/b/tenants/a%20b/x')).toEqual(['s3:GetObject arn:aws:s3:::b/tenants/a b/x']);
    expect(of('PUT', '/b/k?partNumber=1&uploadId=2')).toEqual(['s3:PutObject arn:aws:s3:::b/k']);
    expect(of('DELETE', '/b/k?uploadId=2')).toEqual(['s3:AbortMultipartUpload arn:aws:s3:::b/k']);
    const removed = '<Delete><Object><Key>a&amp;b</Key></Object><Object><Key>c</Key></Object></Delete>';
    expect(of('POST', '/b?delete', removed)).toEqual([
      's3:DeleteObject arn:aws:s3:::b/a&b',
      's3:DeleteObject arn:aws:s3:::b/c',
    ]);
    expect(s3('GET', '/b?list-type=2&prefix=tenants%2Facme%2F')).toEqual([
      { action: 's3:ListBucket', resource: 'arn:aws:s3:::b', context: { 's3:prefix': 'tenants/acme/' } },
    ]);
    for (const [method, url] of [
      ['GET', '/b/k?acl'],
      ['POST', '/b/k'],
      ['PUT', '/b'],
    ] as const) {
      expect(() => s3(method, url), `${method} ${url}`).toThrow('nothing is known');
    }
  });

  test('to S3 for what is not there needs to list it, or S3 would say that it is forbidden', () => {
    expect(s3('GET', '/b/tenants/acme/x').flatMap(needsOfMissing)).toEqual([
      { action: 's3:ListBucket', resource: 'arn:aws:s3:::b', context: { 's3:prefix': 'tenants/acme/x' } },
    ]);
  });

  test('to KMS has the encryption context; to a store it has the store', () => {
    const made = { KeyId: 'arn:key', EncryptionContext: { purpose: 'data-key' } };
    expect(json('kms', 'TrentService.GenerateDataKey', made)).toEqual([
      { action: 'kms:GenerateDataKey', resource: 'arn:key', context: { 'kms:EncryptionContext:purpose': 'data-key' } },
    ]);
    const [send] = json('sqs', 'AmazonSQS.SendMessageBatch', { QueueUrl: 'http://sqs/000/q' });
    expect(send).toMatchObject({ action: 'sqs:SendMessage', resource: 'arn:aws:sqs:us-east-1:000000000000:q' });
    expect(keyNeedsOf(send!, 'arn:key', PLACE)).toEqual([
      {
        action: 'kms:GenerateDataKey',
        resource: 'arn:key',
        context: { 'kms:ViaService': 'sqs.us-east-1.amazonaws.com' },
      },
      { action: 'kms:Decrypt', resource: 'arn:key', context: { 'kms:ViaService': 'sqs.us-east-1.amazonaws.com' } },
    ]);
  });
});
