import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { ECSClient } from '@aws-sdk/client-ecs';
import type { KMSClient } from '@aws-sdk/client-kms';
import type { S3Client } from '@aws-sdk/client-s3';
import type { SQSClient } from '@aws-sdk/client-sqs';

type Client = DynamoDBClient | ECSClient | KMSClient | S3Client | SQSClient;

/** Calls that have not come back yet, of some clients: also those that nobody waits for. */
export class CallsUnderWay {
  readonly #calls = new Set<Promise<unknown>>();

  /** The same client, each of its calls counted from now on. */
  watch<C extends Client>(client: C): C {
    // What is added looks at no call: it may be added to the stack of any client.
    const stack = client.middlewareStack as DynamoDBClient['middlewareStack'];
    stack.add((next) => (args) => this.#count(next(args)), { step: 'initialize', name: 'callsUnderWay' });
    return client;
  }

  /** Resolves once all calls have come back, and those that were made for what they brought. Never rejects. */
  async settled(): Promise<void> {
    do {
      await Promise.allSettled(this.#calls);
      // Whoever waited for them goes on first.
      await new Promise(setImmediate);
    } while (this.#calls.size > 0);
  }

  #count<T>(call: Promise<T>): Promise<T> {
    const forget = () => {
      this.#calls.delete(call);
    };
    this.#calls.add(call);
    call.then(forget, forget);
    return call;
  }
}
