import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export type Answer = (response: ServerResponse, request: IncomingMessage) => void;

/** A service that answers as its script says: the first answer to the first call, the last one to all that follow. */
export class FaultyService {
  readonly port: number;
  /** When each attempt came, in milliseconds of `performance.now`, and the operation that it asked for. */
  readonly asked: { readonly atMs: number; readonly operation: string }[] = [];
  readonly #server: Server;

  private constructor(server: Server, script: readonly Answer[]) {
    this.#server = server;
    this.port = (server.address() as AddressInfo).port;
    server.on('request', (request, response) => {
      const operation = String(request.headers['x-amz-target'] ?? request.method).replace(/.*\./, '');
      const answer = script[Math.min(this.asked.length, script.length - 1)]!;
      this.asked.push({ atMs: performance.now(), operation });
      request.resume();
      request.on('end', () => answer(response, request));
    });
  }

  static async start(...script: readonly Answer[]): Promise<FaultyService> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new FaultyService(server, script);
  }

  /** Between one attempt and the next. */
  get pausesMs(): number[] {
    return this.asked.slice(1).map(({ atMs }, at) => atMs - this.asked[at]!.atMs);
  }

  stop(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}

export function json(status: number, body: object, headers: Record<string, string> = {}): Answer {
  return (response) => {
    response.writeHead(status, { 'Content-Type': 'application/x-amz-json-1.0', ...headers }).end(JSON.stringify(body));
  };
}

export function xml(status: number, body: string): Answer {
  return (response, request) => {
    response.writeHead(status, { 'Content-Type': 'application/xml' }).end(request.method === 'HEAD' ? undefined : body);
  };
}

/** Never answers. */
export const hang: Answer = () => {};
export const reset: Answer = (response) => void response.socket?.resetAndDestroy();
/** Begins to answer and stops. */
export const stall: Answer = (response) => {
  response.writeHead(200, { 'Content-Length': '1000' }).write('{"Item":');
};
/** Begins to answer and breaks off. */
export const cut: Answer = (response) => {
  response.writeHead(200, { 'Content-Length': '1000' }).write('{"Item":', () => response.socket?.destroy());
};
export const malformed: Answer = (response) => {
  response.writeHead(200, { 'Content-Type': 'application/x-amz-json-1.0' }).end('<html>not what you asked for');
};
