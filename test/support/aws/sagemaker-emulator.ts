import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import type { DescribeModelPackageOutput, SageMakerClient } from '@aws-sdk/client-sagemaker';
import { sagemakerClient } from '../../../adapters/aws/clients.ts';
import { localOptions } from './local-client.ts';

export type Package = Partial<DescribeModelPackageOutput>;
type Request = {
  readonly ModelPackageName?: string;
  readonly ModelPackageArn?: string;
  readonly CustomerMetadataProperties?: Record<string, string>;
};
type Answer = { readonly status: number; readonly body: object };

/** As SageMaker's model says of metadata. */
const METADATA = /^[\p{L}\p{Z}\p{N}_.:/=+\-@]{1,256}$/u;

/** As much of SageMaker's Model Registry as Sluice asks for, over the wire. */
export class SageMakerEmulator {
  readonly client: SageMakerClient;
  readonly packages = new Map<string, Package>();
  readonly calls: string[] = [];
  /** Answers of the next calls in place of the service's own. */
  readonly faults: Answer[] = [];
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
    server.on('request', async (request, response) => {
      const { status, body } = await this.#answer(request);
      response.writeHead(status, { 'Content-Type': 'application/x-amz-json-1.1' }).end(JSON.stringify(body));
    });
    this.client = sagemakerClient(localOptions((server.address() as AddressInfo).port));
  }

  static async start(): Promise<SageMakerEmulator> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new SageMakerEmulator(server);
  }

  async stop(): Promise<void> {
    this.client.destroy();
    this.#server.closeAllConnections();
    this.#server.close();
  }

  /** What a package was told. */
  toldOf(arn: string): Record<string, string> | undefined {
    return this.packages.get(arn)?.CustomerMetadataProperties;
  }

  async #answer(request: IncomingMessage): Promise<Answer> {
    const operation = String(request.headers['x-amz-target']).replace('SageMaker.', '');
    const asked = JSON.parse(await text(request)) as Request;
    this.calls.push(operation);
    const fault = this.faults.shift();
    if (fault !== undefined) return fault;
    const arn = asked.ModelPackageName ?? asked.ModelPackageArn ?? '';
    const found = this.packages.get(arn);
    if (found === undefined) return invalid(`ModelPackage ${arn} does not exist.`);
    if (operation === 'DescribeModelPackage') return { status: 200, body: found };
    const told = asked.CustomerMetadataProperties ?? {};
    if (Object.values(told).some((value) => !METADATA.test(value))) return invalid('a value is not allowed');
    const properties = { ...found.CustomerMetadataProperties, ...told };
    this.packages.set(arn, { ...found, CustomerMetadataProperties: properties });
    return { status: 200, body: { ModelPackageArn: arn } };
  }
}

function invalid(message: string): Answer {
  return { status: 400, body: { __type: 'ValidationException', message } };
}
