import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';

/** One client connection: what is under way on it, so that an answer is never mistaken for another's. */
export class Connection {
  readonly socket: Socket;
  /** Requests handed to a handler whose answer has not been written. */
  #answering = 0;
  #whenIdle: (() => void) | undefined;
  #failed = false;
  #receiving: IncomingMessage | undefined;
  #gone: AbortController | undefined;

  constructor(socket: Socket) {
    this.socket = socket;
    socket.once('close', () => this.#gone?.abort());
  }

  /** Aborts when the client goes away: one for all requests of the connection, made for the first that asks. */
  get signal(): AbortSignal {
    if (this.#gone === undefined) {
      this.#gone = new AbortController();
      if (this.socket.destroyed) this.#gone.abort();
    }
    return this.#gone.signal;
  }

  begin(): void {
    this.#answering += 1;
  }

  end(): void {
    this.#answering -= 1;
    if (this.#answering === 0) this.#whenIdle?.();
  }

  /** An upload is being read as it comes. */
  receive(request: IncomingMessage | undefined): void {
    this.#receiving = request;
  }

  /** What comes next cannot be read: calls back when nothing is left to answer, and only the first time. */
  fail(then: () => void): void {
    if (this.#failed) return;
    this.#failed = true;
    this.#receiving?.destroy();
    if (this.#answering === 0) then();
    else this.#whenIdle = then;
  }
}
