import { once } from 'node:events';
import { Agent, createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { itemOf, kindOf, type Service, type ServiceCall, usdOf } from './service-call.ts';

/** What functions and workers call; nothing here calls SageMaker. */
const SERVICES = ['dynamo', 'sqs', 's3', 'kms', 'ssm', 'secretsManager', 'ecs'] as const satisfies readonly Service[];
type Recorded = (typeof SERVICES)[number];
type Heard = { readonly head: IncomingMessage; readonly bytes: Buffer };

/**
 * Stands before the services of a deployment, passes every call on and keeps what it was. A call takes about 0.3 ms longer, and
 * DynamoDB is asked what units it has consumed.
 */
export class CallRecorder {
  /** In the order of their answers. */
  readonly calls: ServiceCall[] = [];
  /** Whether calls are kept with what they asked and heard. */
  keepsWire = false;
  readonly endpoints: Readonly<Record<Recorded, string>>;
  readonly #servers: readonly Server[];
  readonly #agent = new Agent({ keepAlive: true });

  private constructor(servers: Readonly<Record<Recorded, Server>>, targets: Readonly<Record<Recorded, string>>) {
    this.#servers = Object.values(servers);
    const urls = SERVICES.map((service) => {
      servers[service].on('request', (asked: IncomingMessage, response: ServerResponse) => {
        this.#pass(service, new URL(targets[service]), asked, response).catch(() => response.destroy());
      });
      return [service, `http://127.0.0.1:${(servers[service].address() as AddressInfo).port}`] as const;
    });
    this.endpoints = Object.fromEntries(urls) as Record<Recorded, string>;
  }

  /** `targets`: where the services are. */
  static async start(targets: Readonly<Record<Recorded, string>>): Promise<CallRecorder> {
    const servers = {} as Record<Recorded, Server>;
    for (const service of SERVICES) {
      servers[service] = createServer({ keepAliveTimeout: 60_000 }).listen(0, '127.0.0.1');
      await once(servers[service], 'listening');
    }
    return new CallRecorder(servers, targets);
  }

  /** What was called since the last time. */
  take(): ServiceCall[] {
    return this.calls.splice(0);
  }

  stop(): void {
    for (const server of this.#servers) {
      server.closeAllConnections();
      server.close();
    }
    this.#agent.destroy();
  }

  async #pass(service: Recorded, target: URL, asked: IncomingMessage, response: ServerResponse): Promise<void> {
    const askedMs = performance.now();
    const body = await buffer(asked);
    const operation = operationOf(asked);
    const sent = service === 'dynamo' ? askingForUnits(body) : body;
    const { head, bytes } = await this.#ask(target, asked, sent);
    const status = head.statusCode ?? 500;
    response.writeHead(status, passedOn(head)).end(bytes);
    const units = service === 'dynamo' ? unitsOf(status, bytes) : 0;
    this.calls.push({
      service,
      operation,
      kind: kindOf(service, operation, body),
      caller: String(asked.headers['user-agent']).includes('exec-env') ? 'function' : 'worker',
      item: itemOf(service, body),
      askedMs,
      answeredMs: performance.now(),
      status,
      usd: usdOf(service, operation, Math.max(body.length, bytes.length), units),
      ...(this.keepsWire && { wire: { asked: body.toString(), answered: bytes.toString() } }),
    });
  }

  #ask({ hostname, port }: URL, { method, url, headers }: IncomingMessage, body: Buffer): Promise<Heard> {
    const own = { ...passedOn({ headers }), 'content-length': String(body.length) };
    return new Promise((resolve, reject) => {
      const asking = request({ hostname, port, method, path: url, headers: own, agent: this.#agent });
      asking.on('error', reject);
      asking.on('response', (head) => buffer(head).then((bytes) => resolve({ head, bytes }), reject));
      asking.end(body);
    });
  }
}

function operationOf({ headers, method }: IncomingMessage): string {
  const target = headers['x-amz-target'];
  return typeof target === 'string' ? target.split('.').at(-1)! : (method ?? '');
}

/** All but what is between two neighbours; a length is set by whoever writes the body. */
function passedOn({ headers }: Pick<IncomingMessage, 'headers'>): IncomingMessage['headers'] {
  const { connection: _, 'keep-alive': __, 'transfer-encoding': ___, ...kept } = headers;
  return kept;
}

function askingForUnits(body: Buffer): Buffer {
  return Buffer.from(`{"ReturnConsumedCapacity":"TOTAL",${body.subarray(1).toString()}`);
}

type Consumed = { readonly CapacityUnits?: number };

/** A write that its condition keeps from being made consumes one all the same, and does not say so. */
function unitsOf(status: number, bytes: Buffer): number {
  const answer = JSON.parse(bytes.toString()) as {
    readonly ConsumedCapacity?: Consumed | readonly Consumed[];
    readonly __type?: string;
  };
  if (status !== 200) return answer.__type?.includes('ConditionalCheckFailed') ? 1 : 0;
  return [answer.ConsumedCapacity ?? []].flat().reduce((sum, { CapacityUnits = 0 }) => sum + CapacityUnits, 0);
}
