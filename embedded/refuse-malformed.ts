import { STATUS_CODES } from 'node:http';
import { Failure } from '../core/failure.ts';
import { SECOND_MS } from '../core/units.ts';
import type { HttpAnswer } from '../lambdas/middleware/http-handler.ts';
import { ApiEvent, NO_BODY } from './api-event.ts';
import type { Connection } from './connection.ts';
import type { Serving } from './serve-request.ts';

/** How long the client may take to read the answer before the connection is cut. */
const CLOSES_AFTER_MS = SECOND_MS;

/**
 * Answers what node:http could not read as a request, after the answers that the connection still owes, and ends the
 * connection: what follows on it cannot be told apart any more. `code` is node's.
 */
export function refuseMalformed(serving: Serving, connection: Connection, code: string | undefined): void {
  const { socket } = connection;
  // A connection that was opened ahead and never used gets no answer: its client would take it for the next request's.
  const wasNeverUsed = code === 'ERR_HTTP_REQUEST_TIMEOUT' && socket.bytesRead === 0;
  if (!socket.writable || code === 'ECONNRESET' || wasNeverUsed) {
    socket.destroy();
    return;
  }
  connection.fail(async () => {
    const requestId = serving.nextRequestId();
    const head = { method: '', path: '/', query: '', rawHeaders: [], sourceIp: socket.remoteAddress, requestId };
    const event = new ApiEvent(
      { ...head, arrivedAtMs: serving.clock.nowMs() },
      { resource: '', params: null },
      NO_BODY,
    );
    const answer = await serving.handlers.refuse(event, { requestId, refusal: toFailure(code) });
    socket.end(toHttp(answer));
    socket.resume();
    setTimeout(() => socket.destroy(), CLOSES_AFTER_MS).unref();
  });
}

function toFailure(code: string | undefined): Failure {
  switch (code) {
    case 'HPE_HEADER_OVERFLOW':
      return new Failure('headers-too-large');
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return new Failure('body-incomplete', { detail: 'the request took too long to arrive' });
    case 'HPE_INVALID_EOF_STATE':
      return new Failure('body-incomplete');
    default:
      return new Failure('request-invalid', { field: 'request', detail: 'not a well-formed HTTP/1.1 request' });
  }
}

function toHttp({ status, headers, body }: HttpAnswer): string {
  if (typeof body !== 'string') throw new Error('a refusal is text');
  const lines = Object.entries({ ...headers, 'Content-Length': Buffer.byteLength(body), Connection: 'close' });
  const head = lines.map(([name, value]) => `${name}: ${value}\r\n`).join('');
  return `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${head}\r\n${body}`;
}
