import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';

/** One call on its way to a service: what it asks, as it may still be changed. */
export type ServiceCall = {
  /** As `PutItem` or `SendMessage`; of S3 the method. */
  readonly operation: string;
  body: Buffer;
};

/** What becomes of a call. `unheard`: it is done, but its caller does not hear of it. `lost`: it is not done. */
export type Fate = 'done' | 'unheard' | 'lost' | 'twice' | { readonly status: number; readonly error: string };

export type Judge = (call: ServiceCall) => Fate | Promise<Fate>;

type Heard = { readonly status: number; readonly headers: IncomingMessage['headers']; readonly body: Buffer };

/** Stands before a service over the wire and decides about each call. */
export class ServiceProxy {
  readonly url: string;
  judge: Judge = () => 'done';
  readonly #target: URL;
  readonly #stop: () => void;

  private constructor(target: URL, port: number, stop: () => void) {
    this.#target = target;
    this.url = `http://127.0.0.1:${port}`;
    this.#stop = stop;
  }

  static async start(target: string): Promise<ServiceProxy> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const proxy = new ServiceProxy(new URL(target), (server.address() as AddressInfo).port, () => {
      server.closeAllConnections();
      server.close();
    });
    server.on('request', (incoming, response) => void proxy.#serve(incoming, response));
    return proxy;
  }

  stop(): void {
    this.#stop();
  }

  async #serve(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      const body = await buffer(incoming);
      const target = incoming.headers['x-amz-target'];
      const call = {
        operation: typeof target === 'string' ? target.split('.').at(-1)! : (incoming.method ?? ''),
        body,
      };
      const fate = await this.judge(call);
      if (typeof fate === 'object') {
        const refused = JSON.stringify({ __type: fate.error, message: fate.error });
        response.writeHead(fate.status, { 'Content-Type': 'application/x-amz-json-1.0' }).end(refused);
        return;
      }
      if (fate === 'lost') throw new Error('lost');
      if (fate === 'twice') await this.#pass(incoming, call.body);
      const heard = await this.#pass(incoming, call.body);
      if (fate === 'unheard') throw new Error('unheard');
      response.writeHead(heard.status, heard.headers).end(heard.body);
    } catch {
      response.destroy();
    }
  }

  #pass({ method, url, headers }: IncomingMessage, body: Buffer): Promise<Heard> {
    const { hostname, port } = this.#target;
    return new Promise((resolve, reject) => {
      const { 'transfer-encoding': _, connection: __, ...kept } = headers;
      const own = { ...kept, 'content-length': String(body.length) };
      const asking = request({ hostname, port, method, path: url, headers: own, agent: false });
      asking.on('error', reject);
      asking.on('response', (answer) => {
        const { 'transfer-encoding': _, connection: __, ...rest } = answer.headers;
        buffer(answer).then(
          (bytes) => resolve({ status: answer.statusCode ?? 500, headers: rest, body: bytes }),
          reject,
        );
      });
      asking.end(body);
    });
  }
}
