import { connect, type Socket } from 'node:net';

/** One for all connections: what is read is handled before the next read. */
const readBuffer = Buffer.allocUnsafe(256 * 1024);
const HEAD_END = Buffer.from('\r\n\r\n');
const CONTENT_LENGTH = /\ncontent-length: *([0-9]+)/i;

type Answered = (connection: LoadConnection, status: number) => void;

/**
 * One keep-alive HTTP/1.1 connection to loopback with one request in flight, on a bare socket: a third of the CPU of
 * node:http's client. It knows answers with a Content-Length, which is what is measured here, and throws on others.
 */
export class LoadConnection {
  /** When the request in flight was due and sent. */
  dueMs = 0;
  sentMs = 0;
  readonly #socket: Socket;
  readonly #answered: Answered;
  #rest: Buffer | undefined;
  #bodyLeft = 0;
  #status = 0;
  /** An answer is owed: what comes without one (the reason why an idle connection is closed) is none. */
  #inFlight = false;

  /** `closed` is told whether a request was in flight. */
  constructor(
    port: number,
    handlers: { connected: () => void; answered: Answered; closed: (inFlight: boolean) => void },
  ) {
    this.#answered = handlers.answered;
    const onread = {
      buffer: readBuffer,
      callback: (length: number) => {
        this.#read(readBuffer.subarray(0, length));
        return true;
      },
    };
    this.#socket = connect({ host: '127.0.0.1', port, noDelay: true, onread });
    this.#socket.once('connect', handlers.connected);
    this.#socket.once('close', () => handlers.closed(this.#inFlight));
    this.#socket.on('error', () => {});
  }

  send(request: Buffer, dueMs: number, nowMs: number): void {
    this.#inFlight = true;
    this.dueMs = dueMs;
    this.sentMs = nowMs;
    this.#socket.write(request);
  }

  close(): void {
    this.#socket.destroy();
  }

  #read(chunk: Buffer): void {
    if (this.#bodyLeft > 0) {
      this.#readBody(chunk.length);
      return;
    }
    const bytes = this.#rest === undefined ? chunk : Buffer.concat([this.#rest, chunk]);
    const headEnd = bytes.indexOf(HEAD_END);
    if (headEnd < 0) {
      this.#rest = Buffer.from(bytes);
      return;
    }
    this.#rest = undefined;
    const head = bytes.toString('latin1', 0, headEnd);
    const length = CONTENT_LENGTH.exec(head)?.[1];
    if (length === undefined) throw new Error(`an answer without Content-Length: ${head.slice(0, 200)}`);
    this.#status = Number(head.slice(9, 12));
    this.#bodyLeft = Number(length);
    this.#readBody(bytes.length - headEnd - HEAD_END.length);
  }

  #readBody(length: number): void {
    this.#bodyLeft -= length;
    if (this.#bodyLeft < 0) throw new Error('an answer longer than its Content-Length');
    if (this.#bodyLeft > 0 || !this.#inFlight) return;
    this.#inFlight = false;
    this.#answered(this, this.#status);
  }
}
