import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { SECOND_MS } from '../core/units.ts';
import type { HttpAnswer } from '../lambdas/middleware/http-handler.ts';

/** How long a client that is still sending may take to read why it should not. */
const LINGER_MS = SECOND_MS;

/**
 * Writes one answer: head and body in one write, or a stream as fast as the client reads it. `close` ends the connection
 * after it. A stream that fails half way cuts the connection, so that nobody takes the half for the whole.
 */
export function writeAnswer(response: ServerResponse, answer: HttpAnswer, close: boolean): undefined | Promise<void> {
  const { status, body } = answer;
  const head: string[] = [];
  for (const name in answer.headers) head.push(name, answer.headers[name]!);
  if (close) head.push('Connection', 'close');
  if (typeof body !== 'string' && !(body instanceof Uint8Array)) {
    response.writeHead(status, head);
    return pipeline(Readable.from(body, { objectMode: false }), response);
  }
  const bytes = Buffer.byteLength(body);
  if (status !== 204) head.push('Content-Length', String(bytes));
  response.writeHead(status, head);
  if (close && !response.req.complete) linger(response.req, response, body);
  // ASCII alone needs no encoding: head and body go out as they lie in memory.
  else if (bytes === body.length) response.end(body, 'latin1');
  else response.end(body);
  return undefined;
}

/**
 * The client is still sending. Closing now would reset the connection and might take the answer with it: the answer goes
 * out whole, then what comes is read and dropped for a while.
 */
function linger(request: IncomingMessage, response: ServerResponse, body: string | Uint8Array): void {
  response.write(body);
  request.resume();
  const over = setTimeout(() => response.end(), LINGER_MS);
  const end = () => {
    clearTimeout(over);
    response.end();
  };
  request.once('end', end);
  request.once('close', end);
}
