import type { APIGatewayProxyEvent } from 'aws-lambda';
import type { Failure } from '../../core/failure.ts';

export type HttpAnswer = {
  readonly status: number;
  /** Names as they are written, each once. Middleware adds to them. */
  readonly headers: Record<string, string>;
  readonly body: string | Uint8Array | AsyncIterable<Uint8Array>;
};

/** What a host knows of one invocation beside its event. */
export type Invocation = {
  /** Named in the log and in problems. */
  readonly requestId: string;
  /** Aborts when the caller has gone away, where the host can tell. */
  readonly signal?: AbortSignal | undefined;
  /** The body of a route that takes bytes, as it comes, where the host does not put it in the event. */
  readonly bodyStream?: AsyncIterable<Uint8Array> | undefined;
  /** Why the host could not take the request (too large, no such endpoint): answered like any other failure. */
  readonly refusal?: Failure | undefined;
};

/**
 * One endpoint as a host calls it, with a REST proxy event of API Gateway whose path parameters are those of `matchRoute`.
 * It answers every failure itself; a rejection is a broken invariant.
 */
export type HttpHandler = (event: APIGatewayProxyEvent, invocation: Invocation) => Promise<HttpAnswer>;
