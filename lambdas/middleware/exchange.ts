import type { APIGatewayProxyEvent } from 'aws-lambda';
import { Failure } from '../../core/failure.ts';
import type { Caller, QuotaState } from '../../core/inference/request.ts';
import type { Principal } from '../../core/tenancy/principal.ts';
import type { Invocation } from './http-handler.ts';

/** Header values under their names in lower case: senders spell them as they like, and REST events keep that. */
export type LowerHeaders = Readonly<Record<string, string | undefined>>;

/** One request on its way through the middleware: each step leaves here what it found out for the next. */
export class Exchange {
  readonly event: APIGatewayProxyEvent;
  readonly invocation: Invocation;
  readonly headers: LowerHeaders;
  readonly startedMs: number;
  #principal: Principal | undefined = undefined;
  #caller: Caller | undefined = undefined;
  /** Of the request rate, once a unit was taken. */
  quota: QuotaState | undefined = undefined;
  /** Where the request belongs, once it is clear that this is another region: then nothing more is told of it here. */
  elsewhere: string | undefined = undefined;

  constructor(event: APIGatewayProxyEvent, invocation: Invocation, nowMs: number) {
    this.event = event;
    this.invocation = invocation;
    this.headers = toLowerCase(event.headers);
    this.startedMs = nowMs;
  }

  /** The tenant that the request names before anything is known of its sender: in the path, or by an operator's header. */
  get namedTenant(): string | undefined {
    return this.event.pathParameters?.tenant ?? this.headers['sluice-tenant'];
  }

  get principal(): Principal {
    if (this.#principal === undefined) throw new Error('nobody has been authenticated for this route');
    return this.#principal;
  }

  set principal(principal: Principal) {
    this.#principal = principal;
  }

  get knownPrincipal(): Principal | undefined {
    return this.#principal;
  }

  get caller(): Caller {
    if (this.#caller === undefined) throw new Error('no tenant has been identified for this route');
    return this.#caller;
  }

  set caller(caller: Caller) {
    this.#caller = caller;
  }

  get knownCaller(): Caller | undefined {
    return this.#caller;
  }
}

function toLowerCase(headers: APIGatewayProxyEvent['headers']): LowerHeaders {
  const lower: Record<string, string | undefined> = {};
  for (const name in headers) lower[name.toLowerCase()] = headers[name];
  return lower;
}
