import { once } from 'node:events';
import { Agent, createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { needsOf, needsOfMissing, type Place, signerOf, type WireCall } from './iam-calls.ts';
import type { Need } from './iam-policy.ts';

/** What one process was seen to need, as often as it did. */
export type Seen = Need & { readonly accessKeyId: string };

/** A call that could not be told what it needs. */
export type Unread = { readonly accessKeyId: string; readonly problem: string };

const NOBODY = 'nobody';

/** Stands before services, passes every call on as it is, and keeps who needed what for it. */
export class IamWatch {
  readonly endpoints: Readonly<Record<string, string>>;
  readonly seen = new Map<string, Seen>();
  readonly unread = new Map<string, Unread>();
  readonly #servers: readonly Server[];
  readonly #place: Place;
  readonly #agent = new Agent({ keepAlive: true });

  private constructor(place: Place, servers: ReadonlyMap<string, Server>) {
    this.#place = place;
    this.#servers = [...servers.values()];
    const urls = [...servers].map(([name, server]) => [
      name,
      `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    ]);
    this.endpoints = Object.fromEntries(urls);
  }

  /** `targets`: by name, where each service is. */
  static async start(targets: Readonly<Record<string, string>>, place: Place): Promise<IamWatch> {
    const servers = new Map<string, Server>();
    for (const name of Object.keys(targets)) {
      // A process that is frozen must find its connections as it left them.
      const server = createServer({ keepAliveTimeout: 0, requestTimeout: 0, headersTimeout: 0 }).listen(0, '127.0.0.1');
      await once(server, 'listening');
      servers.set(name, server);
    }
    const watch = new IamWatch(place, servers);
    for (const [name, target] of Object.entries(targets)) {
      const url = new URL(target);
      servers.get(name)!.on('request', (incoming, answer) => void watch.#serve(url, incoming, answer));
    }
    return watch;
  }

  stop(): void {
    for (const server of this.#servers) {
      server.closeAllConnections();
      server.close();
    }
    this.#agent.destroy();
  }

  async #serve(target: URL, incoming: IncomingMessage, answer: ServerResponse): Promise<void> {
    try {
      const body = await buffer(incoming);
      const { method = '', url = '', headers } = incoming;
      const call = { method, url, headers, body };
      this.#note(call, (needs) => needs);
      const asking = this.#ask(target, incoming, body);
      answer.on('close', () => asking.destroy());
      const [heard] = (await once(asking, 'response')) as [IncomingMessage];
      if (heard.statusCode === 404) this.#note(call, (needs) => needs.flatMap(needsOfMissing));
      const { connection: _, 'keep-alive': __, 'transfer-encoding': ___, ...rest } = heard.headers;
      answer.writeHead(heard.statusCode ?? 500, rest);
      heard.on('error', () => answer.destroy());
      heard.pipe(answer);
    } catch {
      answer.destroy();
    }
  }

  #ask({ hostname, port }: URL, { method, url, headers }: IncomingMessage, body: Buffer) {
    const { connection: _, expect: __, 'transfer-encoding': ___, ...kept } = headers;
    const own = body.length === 0 && method === 'GET' ? kept : { ...kept, 'content-length': String(body.length) };
    const asking = request({ hostname, port, method, path: url, headers: own, agent: this.#agent });
    // After the answer, or once nobody waits for it, what breaks concerns nobody.
    asking.on('error', () => {});
    asking.end(body);
    return asking;
  }

  /** What a call needs, whatever becomes of it. */
  #note(call: WireCall, of: (needs: readonly Need[]) => readonly Need[]): void {
    const signer = signerOf(call);
    const accessKeyId = signer?.accessKeyId ?? NOBODY;
    try {
      if (signer === undefined) throw new Error(`a call is not signed: ${call.method} ${call.url}`);
      for (const need of of(needsOf(signer.service, call, this.#place))) {
        this.seen.set(`${accessKeyId} ${JSON.stringify(need)}`, { ...need, accessKeyId });
      }
    } catch (error) {
      const problem = String(error);
      this.unread.set(`${accessKeyId} ${problem}`, { accessKeyId, problem });
    }
  }
}
