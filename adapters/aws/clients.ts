import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { ECSClient } from '@aws-sdk/client-ecs';
import { KMSClient } from '@aws-sdk/client-kms';
import { S3Client } from '@aws-sdk/client-s3';
import { SageMakerClient } from '@aws-sdk/client-sagemaker';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SQSClient } from '@aws-sdk/client-sqs';
import { SSMClient } from '@aws-sdk/client-ssm';
import { SECOND_MS } from '../../core/units.ts';
import { BoundedRetry } from './bounded-retry.ts';

export type ClientOptions = {
  readonly region: string;
  /** Of an emulator; undefined asks AWS. */
  readonly endpoint?: string | undefined;
  readonly credentials?: { readonly accessKeyId: string; readonly secretAccessKey: string } | undefined;
  /** Of each attempt, its connection included; undefined: as in `CALL_TIMEOUT_MS`. */
  readonly timeoutMs?: number | undefined;
};

const CONNECT_MS = SECOND_MS;
/** Kept alive: a new connection costs a TLS handshake, about 5 ms. A worker that reads a batch of 256 jobs uses as many. */
const MOST_SOCKETS = 256;

/**
 * The time of an attempt ends with the first of its answer; one that stops coming then is given up after as much again. A long
 * poll is silent for 20 s, and a part of a file may be.
 */
const SILENT_MS = { sqs: 25 * SECOND_MS, s3: 16 * SECOND_MS } as const;

/** No call lasts longer than this times the attempts; long polls and parts of files say how long they may take themselves. */
export const CALL_TIMEOUT_MS = {
  /** Four hundred times what a read takes. */
  dynamo: 2 * SECOND_MS,
  kms: 2 * SECOND_MS,
  sqs: 3 * SECOND_MS,
  s3: 5 * SECOND_MS,
  /** Asked once an approval, once a wake and once a start: none of them stands in the way of a request. */
  sagemaker: 5 * SECOND_MS,
  ecs: 5 * SECOND_MS,
  ssm: 3 * SECOND_MS,
  secretsManager: 3 * SECOND_MS,
} as const;

export function dynamoClient(options: ClientOptions): DynamoDBClient {
  return new DynamoDBClient(configOf(options, CALL_TIMEOUT_MS.dynamo));
}

export function kmsClient(options: ClientOptions): KMSClient {
  return new KMSClient(configOf(options, CALL_TIMEOUT_MS.kms));
}

export function sqsClient(options: ClientOptions): SQSClient {
  // An emulator's queues have URLs that only it can resolve.
  return new SQSClient({
    ...configOf(options, CALL_TIMEOUT_MS.sqs, SILENT_MS.sqs),
    useQueueUrlAsEndpoint: options.endpoint === undefined,
  });
}

/** Without checksums of its own, which a signed URL would ask of its caller: sealed bytes and digests are checked here. */
export function s3Client(options: ClientOptions): S3Client {
  return new S3Client({
    ...configOf(options, CALL_TIMEOUT_MS.s3, options.timeoutMs ?? SILENT_MS.s3),
    forcePathStyle: options.endpoint !== undefined,
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
  });
}

export function sagemakerClient(options: ClientOptions): SageMakerClient {
  return new SageMakerClient(configOf(options, CALL_TIMEOUT_MS.sagemaker));
}

export function ecsClient(options: ClientOptions): ECSClient {
  return new ECSClient(configOf(options, CALL_TIMEOUT_MS.ecs));
}

export function ssmClient(options: ClientOptions): SSMClient {
  return new SSMClient(configOf(options, CALL_TIMEOUT_MS.ssm));
}

export function secretsManagerClient(options: ClientOptions): SecretsManagerClient {
  return new SecretsManagerClient(configOf(options, CALL_TIMEOUT_MS.secretsManager));
}

function configOf(
  { region, endpoint, credentials, timeoutMs }: ClientOptions,
  callTimeoutMs: number,
  silentMs: number = timeoutMs ?? callTimeoutMs,
) {
  const agent = { keepAlive: true, maxSockets: MOST_SOCKETS };
  return {
    region,
    ...(endpoint !== undefined && { endpoint }),
    ...(credentials !== undefined && { credentials }),
    retryStrategy: new BoundedRetry(),
    requestHandler: {
      connectionTimeout: timeoutMs ?? CONNECT_MS,
      requestTimeout: timeoutMs ?? callTimeoutMs,
      socketTimeout: silentMs,
      throwOnRequestTimeout: true,
      httpAgent: agent,
      httpsAgent: agent,
    },
  };
}
