import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { S3Client } from '@aws-sdk/client-s3';
import type { SQSClient } from '@aws-sdk/client-sqs';
import { DynamoEmulator } from './dynamo-emulator.ts';
import { KmsEmulator } from './kms-emulator.ts';
import { SqsEmulator } from './sqs-emulator.ts';

/** The services of a region on this machine. */
export type Emulators = {
  readonly dynamo: DynamoEmulator;
  readonly kms: KmsEmulator;
  readonly fauxqs: SqsEmulator;
  stop(): Promise<void>;
};

export async function startEmulators(): Promise<Emulators> {
  const [dynamo, kms, fauxqs] = await Promise.all([DynamoEmulator.start(), KmsEmulator.start(), SqsEmulator.start()]);
  return {
    dynamo,
    kms,
    fauxqs,
    async stop() {
      await Promise.all([dynamo.stop(), kms.stop(), fauxqs.stop()]);
    },
  };
}

/** Names of the calls that a client makes from now on, in order, until `stop`. */
export function recordCalls(client: DynamoDBClient | S3Client | SQSClient): { readonly calls: string[]; stop(): void } {
  const calls: string[] = [];
  const name = `record-${Math.random()}`;
  const stack = client.middlewareStack as SQSClient['middlewareStack'];
  stack.add(
    (next, context) => (args) => {
      calls.push(String(context.commandName).replace(/Command$/, ''));
      return next(args);
    },
    { step: 'initialize', name },
  );
  return { calls, stop: () => void stack.remove(name) };
}
