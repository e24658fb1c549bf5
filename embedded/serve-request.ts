import type { IncomingMessage, ServerResponse } from 'node:http';
import { asFailure, Failure } from '../core/failure.ts';
import type { Clock } from '../core/ports/clock.ts';
import type { Log } from '../core/ports/log.ts';
import { SECOND_MS } from '../core/units.ts';
import { MAX_BODY_BYTES } from '../lambdas/http/read-body.ts';
import type { HttpAnswer, Invocation } from '../lambdas/middleware/http-handler.ts';
import { ApiEvent, type EventBody, NO_BODY, type RequestHead, toEventBody } from './api-event.ts';
import type { Connection } from './connection.ts';
import { findTarget, type Handlers, type Target } from './find-target.ts';
import { type PendingBodies, readBody } from './read-body.ts';
import { type Framing, readFraming, splitTarget } from './request-head.ts';
import { writeAnswer } from './write-answer.ts';

/** An upload that stops for this long is given up. */
const UPLOAD_STALLS_MS = 30 * SECOND_MS;

/** What the requests of one server share. */
export type Serving = {
  readonly handlers: Handlers;
  readonly pending: PendingBodies;
  readonly clock: Clock;
  readonly log: Log;
  readonly nextRequestId: () => string;
  /** True once the server is closing: connections end with their next answer. */
  readonly isClosing: () => boolean;
};

/** One request from its head to its answer: target, body, event, handler. Every refusal goes through the handlers too. */
export class ServedRequest {
  readonly #serving: Serving;
  readonly #connection: Connection;
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #head: RequestHead;

  constructor(serving: Serving, connection: Connection, request: IncomingMessage, response: ServerResponse) {
    this.#serving = serving;
    this.#connection = connection;
    this.#request = request;
    this.#response = response;
    this.#head = {
      method: request.method ?? '',
      ...splitTarget(request.url ?? ''),
      rawHeaders: request.rawHeaders,
      sourceIp: request.socket.remoteAddress,
      requestId: serving.nextRequestId(),
      arrivedAtMs: serving.clock.nowMs(),
    };
  }

  /** `expectsContinue`: the client sends its body once it is told to. */
  serve(expectsContinue: boolean): void {
    try {
      this.#begin(expectsContinue);
    } catch (error) {
      this.#breakOff(error);
    }
  }

  #begin(expectsContinue: boolean): void {
    const target = findTarget(this.#serving.handlers, this.#head.method, this.#head.path);
    const framing = readFraming(this.#request);
    const refusal = target.refusal ?? framing.refusal ?? refuseLength(target, framing);
    if (refusal !== undefined) {
      this.#dispatch(target, NO_BODY, { refusal });
    } else if (target.body === 'ignored' || !framing.hasBody) {
      this.#dispatch(target, NO_BODY, {});
    } else {
      if (expectsContinue) this.#response.writeContinue();
      this.#receive(target, framing);
    }
  }

  /** Answers with a failure whatever was asked. */
  refuse(refusal: Failure): void {
    this.#dispatch({ handler: this.#serving.handlers.refuse, resource: '', params: null }, NO_BODY, { refusal });
  }

  #receive(target: Target, framing: Framing): void {
    if (target.body === 'streamed') {
      this.#dispatch(target, NO_BODY, { bodyStream: this.#stream() });
      return;
    }
    readBody(this.#request, MAX_BODY_BYTES, this.#serving.pending, (body) => {
      if (body instanceof Failure) this.#dispatch(target, NO_BODY, { refusal: body });
      else this.#dispatch(target, toEventBody(body, framing.contentType), {});
    });
  }

  #dispatch(
    target: Pick<Target, 'handler' | 'resource' | 'params'>,
    body: EventBody,
    rest: Pick<Invocation, 'bodyStream' | 'refusal'>,
  ): void {
    const invocation = new EmbeddedInvocation(this.#connection, this.#head.requestId, rest);
    this.#connection.begin();
    target.handler(new ApiEvent(this.#head, target, body), invocation).then(
      (answer) => this.#write(answer),
      (error: unknown) => {
        this.#serving.log.error('handler broke', error, { request_id: this.#head.requestId });
        this.#write({ status: 500, headers: {}, body: '' });
      },
    );
  }

  #write(answer: HttpAnswer): void {
    // To go on with the connection, a body that is still coming would have to be read to its end first.
    const close = this.#serving.isClosing() || !this.#request.complete;
    let streaming: undefined | Promise<void>;
    try {
      streaming = writeAnswer(this.#response, answer, close);
    } catch (error) {
      this.#breakOff(error);
    }
    if (streaming === undefined) {
      this.#connection.end();
      return;
    }
    streaming
      .catch((error: unknown) => {
        if (!this.#connection.socket.destroyed)
          this.#serving.log.warn('answer cut', { request_id: this.#head.requestId });
        this.#response.destroy(asFailure(error));
      })
      .finally(() => this.#connection.end());
  }

  /** For what must not be thrown on: it would end the process. */
  #breakOff(error: unknown): void {
    this.#serving.log.error('request broken off', error, { request_id: this.#head.requestId });
    this.#request.socket.destroy();
  }

  /** The body as it comes. Whoever stops reading leaves the connection open for the answer. */
  async *#stream(): AsyncIterable<Uint8Array> {
    const { socket } = this.#request;
    const giveUp = () => socket.destroy();
    socket.setTimeout(UPLOAD_STALLS_MS, giveUp);
    this.#connection.receive(this.#request);
    try {
      yield* this.#request.iterator({ destroyOnReturn: false });
    } catch (cause) {
      throw new Failure('body-incomplete', {}, { cause });
    } finally {
      this.#connection.receive(undefined);
      socket.setTimeout(0, giveUp);
    }
  }
}

function refuseLength(target: Target, { declaredBytes = 0 }: Framing): Failure | undefined {
  return target.body === 'buffered' && declaredBytes > MAX_BODY_BYTES
    ? new Failure('body-too-large', { limitBytes: MAX_BODY_BYTES })
    : undefined;
}

class EmbeddedInvocation implements Invocation {
  readonly requestId: string;
  readonly bodyStream: AsyncIterable<Uint8Array> | undefined;
  readonly refusal: Failure | undefined;
  readonly #connection: Connection;

  constructor(connection: Connection, requestId: string, rest: Pick<Invocation, 'bodyStream' | 'refusal'>) {
    this.#connection = connection;
    this.requestId = requestId;
    this.bodyStream = rest.bodyStream;
    this.refusal = rest.refusal;
  }

  get signal(): AbortSignal {
    return this.#connection.signal;
  }
}
