import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { S3Client } from '@aws-sdk/client-s3';
import type { SQSClient } from '@aws-sdk/client-sqs';
import type { SSMClient } from '@aws-sdk/client-ssm';

/** What a call comes to in place of asking the service; undefined asks it. */
export type Stub = (command: string, input: Record<string, unknown>) => object | Error | undefined;

/** Answers calls of a client by `stub` until the returned function is called. */
export function stubCalls(client: DynamoDBClient | S3Client | SQSClient | SSMClient, stub: Stub): () => void {
  const name = `stub-${Math.random()}`;
  const stack = client.middlewareStack as SQSClient['middlewareStack'];
  stack.add(
    (next, context) => async (args) => {
      const answer = stub(String(context.commandName).replace(/Command$/, ''), args.input as Record<string, unknown>);
      if (answer === undefined) return next(args);
      if (answer instanceof Error) throw answer;
      return { output: { $metadata: {}, ...answer } as never, response: {} };
    },
    { step: 'initialize', name },
  );
  return () => void stack.remove(name);
}

/** An error as a service names it. */
export function serviceError(name: string): Error {
  return Object.assign(new Error(name), { name });
}
