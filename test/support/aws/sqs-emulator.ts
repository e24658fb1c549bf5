import type { S3Client } from '@aws-sdk/client-s3';
import type { SQSClient } from '@aws-sdk/client-sqs';
import { type FauxqsServer, startFauxqs } from 'fauxqs';
import { s3Client, sqsClient } from '../../../adapters/aws/clients.ts';
import { localOptions, TIMEOUT_MS } from './local-client.ts';

/** SQS and S3 of its own in memory, over the wire. */
export class SqsEmulator {
  readonly server: FauxqsServer;
  readonly sqs: SQSClient;
  readonly s3: S3Client;
  #made = 0;

  private constructor(server: FauxqsServer) {
    this.server = server;
    this.sqs = sqsClient(localOptions(server.port, TIMEOUT_MS));
    this.s3 = s3Client(localOptions(server.port, TIMEOUT_MS));
  }

  static async start(): Promise<SqsEmulator> {
    return new SqsEmulator(await startFauxqs({ port: 0, host: '127.0.0.1', logger: false }));
  }

  createBucket(): string {
    this.#made += 1;
    return this.server.createBucket(`bucket-${this.#made}`).bucketName;
  }

  createQueue(attributes: Record<string, string> = {}): {
    readonly name: string;
    readonly url: string;
    readonly arn: string;
  } {
    this.#made += 1;
    const name = `queue-${this.#made}`;
    const { queueUrl, queueArn } = this.server.createQueue(name, { attributes });
    return { name, url: queueUrl, arn: queueArn };
  }

  async stop(): Promise<void> {
    this.sqs.destroy();
    this.s3.destroy();
    await this.server.stop();
  }
}
