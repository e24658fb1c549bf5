import type { IncomingHttpHeaders } from 'node:http';
import type { Need } from './iam-policy.ts';

/** A call as it comes over the wire. */
export type WireCall = {
  readonly method: string;
  /** Path and query. */
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  /** Of S3 only where it is needed. */
  readonly body: Buffer;
};

/** Where the resources are. */
export type Place = { readonly region: string; readonly account: string };

type Input = Readonly<Record<string, unknown>>;

/** Of which tables, items and keys a call to DynamoDB may speak, by operation. */
type TableNames = { readonly [table: string]: unknown };

/** Whose credentials signed a call, in its header or in a signed URL, and for which service; undefined: it is not signed. */
export function signerOf({ headers, url }: Pick<WireCall, 'headers' | 'url'>) {
  const inUrl = new URL(url, 'http://service').searchParams.get('X-Amz-Credential');
  const credential = inUrl ?? /Credential=([^,\s]+)/.exec(headers.authorization ?? '')?.[1];
  const [accessKeyId, , , service] = credential?.split('/') ?? [];
  return accessKeyId === undefined || service === undefined ? undefined : { accessKeyId, service };
}

/**
 * What the caller of a service must be allowed to do for this call, as each service's page of the service authorization
 * reference says. Throws at a call that is not known here.
 */
export function needsOf(service: string, call: WireCall, place: Place): readonly Need[] {
  if (service === 's3') return s3Needs(call);
  const operation = String(call.headers['x-amz-target']).split('.').at(-1)!;
  const input = JSON.parse(call.body.toString() || '{}') as Input;
  const ofService = SERVICES[service];
  if (ofService === undefined) throw new Error(`of ${service} nothing is known here`);
  return ofService(operation, input, place);
}

const SERVICES: Readonly<Record<string, (operation: string, input: Input, place: Place) => readonly Need[]>> = {
  dynamodb: dynamoNeeds,
  kms(operation, { KeyId, EncryptionContext }, place) {
    const context = Object.entries((EncryptionContext ?? {}) as Record<string, string>);
    const named = context.map(([key, value]) => [`kms:EncryptionContext:${key}`, value]);
    const key = String(KeyId);
    const resource = key.startsWith('arn:') ? key : arn('kms', `key/${key}`, place);
    return [need(`kms:${operation}`, resource, Object.fromEntries(named))];
  },
  sqs(operation, { QueueUrl }, place) {
    const resource = arn('sqs', String(QueueUrl).split('/').at(-1)!, place);
    // Of a batch each message needs what one alone does.
    return [need(`sqs:${operation.replace(/Batch$/, '')}`, resource)];
  },
  ssm: (operation, { Name }, place) => [need(`ssm:${operation}`, parameterArn(String(Name), place))],
  secretsmanager(operation, { SecretId }, place) {
    const secret = String(SecretId);
    return [need(`secretsmanager:${operation}`, secret.startsWith('arn:') ? secret : secretArn(secret, place))];
  },
  ecs(operation, { cluster, services, service }, place) {
    const names = (services ?? [service]) as readonly string[];
    return names.map((name) => need(`ecs:${operation}`, serviceArn(String(cluster), name, place)));
  },
};

const TRANSACT = { Put: 'PutItem', Update: 'UpdateItem', Delete: 'DeleteItem', ConditionCheck: 'ConditionCheckItem' };

function dynamoNeeds(operation: string, input: Input, place: Place): readonly Need[] {
  const of = (name: string, table: unknown, index?: unknown) =>
    need(
      `dynamodb:${name}`,
      `${tableArn(String(table), place)}${index === undefined ? '' : `/index/${String(index)}`}`,
    );
  if (operation === 'TransactWriteItems') {
    const items = input.TransactItems as readonly Readonly<Record<string, { readonly TableName: string }>>[];
    return items.flatMap((item) =>
      Object.entries(item).map(([kind, { TableName }]) => of(TRANSACT[kind as keyof typeof TRANSACT], TableName)),
    );
  }
  if (operation === 'BatchGetItem' || operation === 'BatchWriteItem') {
    return Object.keys(input.RequestItems as TableNames).map((table) => of(operation, table));
  }
  if (input.TableName === undefined) throw new Error(`of DynamoDB's ${operation} nothing is known here`);
  return [of(operation, input.TableName, input.IndexName)];
}

const OBJECT_ACTIONS: Readonly<Record<string, string>> = {
  GET: 's3:GetObject',
  HEAD: 's3:GetObject',
  PUT: 's3:PutObject',
  DELETE: 's3:DeleteObject',
};
/** Parts of a query that make an object's call another one than these. */
const OTHER_CALLS = ['acl', 'tagging', 'versionId', 'retention', 'legal-hold', 'attributes', 'restore', 'select'];

/** By path style. */
function s3Needs({ method, url, headers, body }: WireCall): readonly Need[] {
  const { pathname, searchParams: query } = new URL(url, 'http://service');
  const [bucket = '', ...rest] = pathname.slice(1).split('/');
  const key = decodeURIComponent(rest.join('/'));
  const ofBucket = `arn:aws:s3:::${bucket}`;
  const ofObject = `${ofBucket}/${key}`;
  if (headers['x-amz-copy-source'] !== undefined || OTHER_CALLS.some((name) => query.has(name))) {
    throw new Error(`of S3's ${method} ${url} nothing is known here`);
  }
  if (key === '' && method === 'GET') {
    return [need('s3:ListBucket', ofBucket, { 's3:prefix': query.get('prefix') ?? '' })];
  }
  if (key === '' && method === 'POST' && query.has('delete')) {
    const keys = [...body.toString().matchAll(/<Key>([^<]*)<\/Key>/g)].map(([, each]) => unescapeXml(each!));
    return keys.map((each) => need('s3:DeleteObject', `${ofBucket}/${each}`));
  }
  if (method === 'POST' && (query.has('uploads') || query.has('uploadId'))) return [need('s3:PutObject', ofObject)];
  if (method === 'DELETE' && query.has('uploadId')) return [need('s3:AbortMultipartUpload', ofObject)];
  const action = key === '' ? undefined : OBJECT_ACTIONS[method];
  if (action === undefined) throw new Error(`of S3's ${method} ${url} nothing is known here`);
  return [need(action, ofObject)];
}

/**
 * To be told that an object is not there, rather than that it may not be read, a caller must be allowed to list the bucket; S3
 * takes the object's key for the prefix that is asked for (.../API/API_GetObject.html).
 */
export function needsOfMissing({ action, resource }: Need): readonly Need[] {
  if (action !== 's3:GetObject') return [];
  const [bucket = '', ...key] = resource.split('/');
  return [need('s3:ListBucket', bucket, { 's3:prefix': key.join('/') })];
}

/** What a store asks of the key for its caller, by action (`kms:ViaService`); of a table it asks all. */
const KEY_USES: Readonly<Record<string, readonly string[]>> = {
  's3:GetObject': ['Decrypt'],
  // Of parts too, which it reads again when it puts them together.
  's3:PutObject': ['GenerateDataKey', 'Decrypt'],
  'sqs:SendMessage': ['GenerateDataKey', 'Decrypt'],
  'sqs:ReceiveMessage': ['Decrypt'],
  'secretsmanager:GetSecretValue': ['Decrypt'],
  'secretsmanager:PutSecretValue': ['GenerateDataKey', 'Decrypt'],
};

/** What a call needs beside, where what it is about is stored under a customer's key. */
export function keyNeedsOf({ action }: Need, keyArn: string, { region }: Place): readonly Need[] {
  const [service] = action.split(':') as [string];
  const uses = service === 'dynamodb' ? ['Decrypt'] : (KEY_USES[action] ?? []);
  const context = { 'kms:ViaService': `${service}.${region}.amazonaws.com` };
  return uses.map((use) => need(`kms:${use}`, keyArn, context));
}

export function tableArn(table: string, place: Place): string {
  return arn('dynamodb', `table/${table}`, place);
}

export function parameterArn(name: string, place: Place): string {
  return arn('ssm', `parameter${name.startsWith('/') ? '' : '/'}${name}`, place);
}

export function secretArn(name: string, place: Place): string {
  return arn('secretsmanager', `secret:${name}`, place);
}

export function serviceArn(cluster: string, service: string, place: Place): string {
  return arn('ecs', `service/${cluster}/${service}`, place);
}

export function queueArn(queue: string, place: Place): string {
  return arn('sqs', queue, place);
}

function arn(service: string, resource: string, { region, account }: Place): string {
  return `arn:aws:${service}:${region}:${account}:${resource}`;
}

function need(action: string, resource: string, context: Need['context'] = {}): Need {
  return { action, resource, context };
}

function unescapeXml(text: string): string {
  const entities: Record<string, string> = { lt: '<', gt: '>', quot: '"', apos: "'", amp: '&' };
  return text.replace(/&(lt|gt|quot|apos|amp);/g, (_, name: string) => entities[name]!);
}
