import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { DevIssuer } from '../adapters/identity/dev-issuer.ts';
import { Failure } from '../core/failure.ts';
import type { Clock } from '../core/ports/clock.ts';
import type { Log } from '../core/ports/log.ts';
import { KIB, MINUTE_MS, SECOND_MS } from '../core/units.ts';
import type { HttpHandlers } from '../lambdas/http/handlers.ts';
import { Connection } from './connection.ts';
import { createDevOidc } from './dev-oidc.ts';
import type { Extra } from './find-target.ts';
import { PendingBodies } from './read-body.ts';
import { refuseMalformed } from './refuse-malformed.ts';
import { ServedRequest, type Serving } from './serve-request.ts';

const LIMITS = {
  maxHeaderSize: 16 * KIB,
  /** Slow headers hold a connection no longer than this. */
  headersTimeout: 10 * SECOND_MS,
  /** Of a whole request, the largest upload too: 2 GiB in 30 minutes is 9.5 Mbit/s. Other bodies have 30 s. */
  requestTimeout: 30 * MINUTE_MS,
  keepAliveTimeout: 65 * SECOND_MS,
  connectionsCheckingInterval: 5 * SECOND_MS,
};
/** About 10 KiB each while idle. */
const MAX_CONNECTIONS = 10_000;

export type ServeOptions = {
  readonly handlers: HttpHandlers;
  /** Served under /dev/oidc. */
  readonly devIssuer?: DevIssuer;
  /** What else is served. */
  readonly extras?: readonly Extra[];
  readonly clock: Clock;
  readonly log: Log;
};

/** A bound address: its port is known before there is anything to serve. Until then requests are answered 503. */
export type HttpServer = {
  readonly port: number;
  readonly url: string;
  serve(options: ServeOptions): void;
  /** Stops accepting, answers what is under way with `Connection: close`, and cuts what is left after `graceMs`. */
  close(graceMs: number): Promise<void>;
};

/** Binds `host` and `port` (0: any free one). */
export async function listen(host: string, port: number): Promise<HttpServer> {
  const connections = new WeakMap<Socket, Connection>();
  const server = createServer({ ...LIMITS, requireHostHeader: false });
  server.maxConnections = MAX_CONNECTIONS;
  server.on('connection', (socket: Socket) => connections.set(socket, new Connection(socket)));
  server.on('request', refuseEarly);
  server.listen(port, host);
  await once(server, 'listening');
  const bound = (server.address() as AddressInfo).port;
  const state = { closing: false };
  return {
    port: bound,
    url: `http://${host.includes(':') ? `[${host}]` : host}:${bound}`,
    serve(options) {
      server.removeListener('request', refuseEarly);
      answerRequests(server, (socket) => connections.get(socket)!, toServing(options, state));
    },
    close(graceMs) {
      state.closing = true;
      return closeServer(server, graceMs);
    },
  };
}

function refuseEarly(_: IncomingMessage, response: ServerResponse): void {
  response.writeHead(503, { 'Retry-After': '1', 'Content-Length': '0' }).end();
}

function toServing(options: ServeOptions, state: { readonly closing: boolean }): Serving {
  const { handlers, devIssuer, extras = [], clock, log } = options;
  const instance = randomBytes(4).toString('hex');
  let requests = 0;
  return {
    handlers: { ...handlers, extras: [...extras, ...(devIssuer === undefined ? [] : [createDevOidc(devIssuer)])] },
    clock,
    log,
    pending: new PendingBodies(),
    nextRequestId: () => {
      requests += 1;
      return `req_${instance}_${requests.toString(36)}`;
    },
    isClosing: () => state.closing,
  };
}

function answerRequests(server: Server, connectionOf: (socket: Socket) => Connection, serving: Serving): void {
  const served = (request: IncomingMessage, response: ServerResponse) =>
    new ServedRequest(serving, connectionOf(request.socket), request, response);
  server.on('request', (request, response) => served(request, response).serve(false));
  server.on('checkContinue', (request, response) => served(request, response).serve(true));
  server.on('checkExpectation', (request, response) =>
    served(request, response).refuse(new Failure('header-invalid', { field: 'Expect' })),
  );
  server.on('clientError', (error: Error & { code?: string }, socket) => {
    refuseMalformed(serving, connectionOf(socket as Socket), error.code);
  });
}

/** Connections close with their next answer, idle ones at once. */
async function closeServer(server: Server, graceMs: number): Promise<void> {
  const closed = once(server, 'close');
  server.close();
  const cut = setTimeout(() => server.closeAllConnections(), graceMs);
  await closed;
  clearTimeout(cut);
}
