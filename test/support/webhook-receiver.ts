import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { Webhook } from 'standardwebhooks';
import { CERTIFICATE, PRIVATE_KEY } from './hooks-test-certificate.ts';

export type Received = {
  readonly atMs: number;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
};

/** What the body of a message says. */
export type Message = {
  readonly type: string;
  readonly timestamp: string;
  readonly data: Readonly<Record<string, unknown>>;
};

/** A tenant's server on this machine: keeps all that is posted to it and answers as it is told. */
export class WebhookReceiver {
  readonly received: Received[] = [];
  /** The status of the next answers; `hang` never answers. */
  answer: number | 'hang' | ((received: Received) => number | 'hang') = 204;
  readonly #server: Server;
  readonly #origin: string | undefined;

  private constructor(server: Server, origin: string | undefined) {
    this.#server = server;
    this.#origin = origin;
  }

  /** `secure`: by TLS as `hooks.test`, on a port that stands for the one of that name. */
  static async start(secure?: { readonly port: number }): Promise<WebhookReceiver> {
    const server = secure === undefined ? createServer() : createHttpsServer({ cert: CERTIFICATE, key: PRIVATE_KEY });
    const receiver = new WebhookReceiver(server, secure && 'https://hooks.test');
    server.on('request', async (request, response) => {
      let body = '';
      for await (const chunk of request) body += String(chunk);
      const received = { atMs: Date.now(), path: request.url ?? '', headers: request.headers, body };
      receiver.received.push(received);
      const answer = typeof receiver.answer === 'function' ? receiver.answer(received) : receiver.answer;
      if (answer !== 'hang') response.writeHead(answer).end();
    });
    server.listen(secure?.port ?? 0, '127.0.0.1');
    await once(server, 'listening');
    return receiver;
  }

  get port(): number {
    return (this.#server.address() as { port: number }).port;
  }

  get url(): string {
    return `${this.#origin ?? `http://127.0.0.1:${this.port}`}/hook`;
  }

  /** Messages posted to a path, verified as Standard Webhooks does, in order of arrival. Throws if one is not genuine. */
  verified(secret: string, path = '/hook'): Message[] {
    const own = this.received.filter((each) => each.path === path);
    return own.map(
      ({ body, headers }) => new Webhook(secret).verify(body, headers as Record<string, string>) as Message,
    );
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }
}
