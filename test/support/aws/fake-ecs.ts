import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import type { ECSClient } from '@aws-sdk/client-ecs';
import { ecsClient } from '../../../adapters/aws/clients.ts';
import { localOptions, TIMEOUT_MS } from './local-client.ts';

type Asked = { readonly services?: readonly string[]; readonly service?: string; readonly desiredCount?: number };
type Answer = { readonly status: number; readonly body: object };

/** As much of ECS as a pool's start needs, over the wire: DescribeServices and UpdateService of services without a scheduler. */
export class FakeEcs {
  readonly client: ECSClient;
  readonly endpoint: string;
  /** Operations that were asked, in order, with the service. */
  readonly calls: string[] = [];
  /** How many of the next updates are refused. */
  refusals = 0;
  /** Told of each change of what a service wants. */
  onDesired: (service: string, count: number) => void = () => {};
  readonly #server: Server;
  readonly #desired = new Map<string, number>();

  private constructor(server: Server) {
    this.#server = server;
    server.on('request', async (request, response) => {
      const { status, body } = await this.#answer(request);
      response.writeHead(status, { 'Content-Type': 'application/x-amz-json-1.1' }).end(JSON.stringify(body));
    });
    const { port } = server.address() as AddressInfo;
    this.endpoint = `http://127.0.0.1:${port}`;
    this.client = ecsClient(localOptions(port, TIMEOUT_MS));
  }

  static async start(): Promise<FakeEcs> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new FakeEcs(server);
  }

  /** A service that wants as many tasks, as its scaling would have it. */
  set(service: string, desiredCount: number): void {
    this.#desired.set(service, desiredCount);
  }

  /** How often a service was told to have another number of tasks, refusals included. */
  updatesOf(service: string): number {
    return this.calls.filter((call) => call === `UpdateService ${service}`).length;
  }

  async stop(): Promise<void> {
    this.client.destroy();
    this.#server.closeAllConnections();
    this.#server.close();
  }

  async #answer(request: IncomingMessage): Promise<Answer> {
    const operation = String(request.headers['x-amz-target']).split('.')[1];
    const asked = JSON.parse(await text(request)) as Asked;
    const names = asked.services ?? [asked.service ?? ''];
    for (const name of names) this.calls.push(`${operation} ${name}`);
    if (operation === 'DescribeServices') {
      const known = names.filter((name) => this.#desired.has(name));
      return { status: 200, body: { services: known.map((name) => this.#describe(name)), failures: [] } };
    }
    const [name = ''] = names;
    if (operation !== 'UpdateService' || !this.#desired.has(name)) {
      return { status: 400, body: { __type: 'ServiceNotFoundException' } };
    }
    if (this.refusals > 0) {
      this.refusals -= 1;
      return { status: 400, body: { __type: 'AccessDeniedException', message: 'refused' } };
    }
    this.#desired.set(name, asked.desiredCount ?? 0);
    this.onDesired(name, asked.desiredCount ?? 0);
    return { status: 200, body: { service: this.#describe(name) } };
  }

  #describe(serviceName: string): object {
    return { serviceName, status: 'ACTIVE', desiredCount: this.#desired.get(serviceName), runningCount: 0 };
  }
}
