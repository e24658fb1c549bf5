import type { Endpoints } from '../../adapters/aws/environment.ts';
import { SQS_CHUNK_BYTES, USD_PER_MILLION } from './prices.ts';

export type Service = keyof Endpoints;

/** One call of a service as it went over the wire. */
export type ServiceCall = {
  readonly service: Service;
  /** As `UpdateItem`; of S3 the method. */
  readonly operation: string;
  /** What it is for, in the words of this platform. */
  readonly kind: string;
  readonly caller: 'function' | 'worker';
  /** Of an item, its sort key: of a job, its id. */
  readonly item: string | undefined;
  /** Milliseconds as `performance.now()`: when it was asked, and when its answer had come. */
  readonly askedMs: number;
  readonly answeredMs: number;
  readonly status: number;
  readonly usd: number;
  /** What went over the wire, where the recorder keeps it. */
  readonly wire?: { readonly asked: string; readonly answered: string };
};

type Body = {
  readonly TableName?: string;
  readonly Key?: ItemKey;
  readonly Item?: ItemKey;
  readonly UpdateExpression?: string;
  readonly ExpressionAttributeValues?: Readonly<Record<string, { readonly S?: string }>>;
  readonly RequestItems?: Readonly<Record<string, readonly { readonly PutRequest?: { readonly Item: ItemKey } }[]>>;
};
type ItemKey = { readonly pk?: { readonly S?: string }; readonly sk?: { readonly S?: string } };

/** Calls whose number depends on time, whether anybody asks or not. */
export const BY_TIME: ReadonlySet<string> = new Set(['heartbeat', 'open releases', 'telemetry', 'settings', 'receive']);

/** By service, or by the partition of an item; `adapters/aws/keys.ts` has the partitions. */
const OPERATIONS: Readonly<Record<string, string>> = {
  SendMessage: 'send',
  ReceiveMessage: 'receive',
  DeleteMessageBatch: 'delete',
  ChangeMessageVisibilityBatch: 'hide',
  GetQueueAttributes: 'queue depth',
  Decrypt: 'data key, unwrapped',
  GenerateDataKey: 'data key, made',
  GetParameter: 'settings',
  GetSecretValue: 'signing key',
};
const PARTITIONS: Readonly<Record<string, string>> = {
  answers: 'kept answer',
  digest: 'version',
  idempotency: 'idempotency',
  key: 'API key',
  'latest-release': 'release',
  'open-releases': 'open releases',
  plan: 'plan',
  quarantine: 'quarantine',
  route: 'route',
  telemetry: 'telemetry',
  versions: 'version',
  webhooks: 'webhooks',
};
const JOB_STEPS: readonly (readonly [RegExp, string])[] = [
  [/:queued/, 'job, marked as queued'],
  [/:running/, 'job, begun'],
  [/:ended/, 'job, ended'],
  [/createdAtMs/, 'job, made durable'],
];

/** Says what a call is for; one that is not known here by its operation and partition. */
export function kindOf(service: Service, operation: string, bytes: Buffer): string {
  if (service === 's3') return operation === 'GET' || operation === 'HEAD' ? 'file read' : 'file written';
  if (service !== 'dynamo') return OPERATIONS[operation] ?? operation;
  const body = JSON.parse(bytes.toString()) as Body;
  const { pk, sk } = keyOf(body);
  const partition = pk.split('#', 1)[0]!;
  if (partition === 'jobs') return jobKind(operation, body.UpdateExpression ?? '');
  if (partition === 'tenant') return tenantKind(operation, sk, body.UpdateExpression ?? '');
  if (partition === 'heartbeat') return operation === 'PutItem' ? 'heartbeat' : 'heartbeats read';
  return PARTITIONS[partition] ?? `${operation} ${partition}`;
}

export function itemOf(service: Service, bytes: Buffer): string | undefined {
  return service === 'dynamo' ? keyOf(JSON.parse(bytes.toString()) as Body).sk || undefined : undefined;
}

function keyOf({ Key, Item, ExpressionAttributeValues: values, RequestItems }: Body): { pk: string; sk: string } {
  const [batch] = Object.values(RequestItems ?? {});
  const key = Key ?? Item ?? batch?.[0]?.PutRequest?.Item;
  return { pk: key?.pk?.S ?? values?.[':pk']?.S ?? values?.[':partition']?.S ?? '', sk: key?.sk?.S ?? '' };
}

function jobKind(operation: string, update: string): string {
  if (operation === 'GetItem') return 'result read';
  if (operation === 'PutItem') return 'job, made durable';
  return JOB_STEPS.find(([pattern]) => pattern.test(update))?.[1] ?? `${operation} job`;
}

/** Of a tenant there are its record, its home, its data key and its limits. */
function tenantKind(operation: string, sk: string, update: string): string {
  if (sk === 'record') return 'tenant';
  if (sk === 'home') return 'home region';
  if (sk === 'data-key') return 'data key, read';
  if (sk.startsWith('rate#')) return `quota lease of ${sk.slice('rate#'.length)}`;
  if (sk.startsWith('reservation#'))
    return operation === 'PutItem' ? 'reservation, its record' : 'settling, its record';
  if (sk === 'compute') return update.includes(':compute') ? 'reservation, counted' : computeStep(update);
  return `${operation} ${sk}`;
}

function computeStep(update: string): string {
  return update.includes('lookS') ? 'reservation, ended ones freed' : 'settling, counted';
}

/** What the call costs: `units` are those that DynamoDB says it has consumed. */
export function usdOf(service: Service, operation: string, bytes: number, units: number): number {
  return priceOf(service, operation, bytes, units) / 1_000_000;
}

function priceOf(service: Service, operation: string, bytes: number, units: number): number {
  const isRead = /^(Get|Query|Scan|BatchGet|HEAD$|GET$)/.test(operation);
  switch (service) {
    case 'dynamo':
      return units * (isRead ? USD_PER_MILLION.dynamoRead : USD_PER_MILLION.dynamoWrite);
    case 'sqs':
      return (
        Math.max(1, Math.ceil(bytes / SQS_CHUNK_BYTES)) *
        (operation === 'GetQueueAttributes' ? USD_PER_MILLION.sqs : USD_PER_MILLION.sqsFair)
      );
    case 's3':
      return isRead ? USD_PER_MILLION.s3Read : USD_PER_MILLION.s3Write;
    case 'kms':
    case 'secretsManager':
    case 'ssm':
    case 'ecs':
      return USD_PER_MILLION[service];
    default:
      throw new Error(`no price of ${service}`);
  }
}
