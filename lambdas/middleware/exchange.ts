import type middy from '@middy/core';
import type { APIGatewayProxyEvent } from 'aws-lambda';
import type { AuditDraft } from '../../core/audit/entry.ts';
import type { Caller, QuotaState } from '../../core/inference/request.ts';
import type { Principal } from '../../core/tenancy/principal.ts';
import type { DirectoryEntry } from '../../core/tenancy/tenant.ts';
import type { RequestTrace } from '../../core/trace/trace-context.ts';
import type { HttpAnswer, Invocation } from './http-handler.ts';

/** Header values under their names in lower case: senders spell them as they like, and REST events keep that. */
export type LowerHeaders = Readonly<Record<string, string | undefined>>;

/** `forwarded`: the answer is that of the home region, and is passed on as it is. */
export type Elsewhere = Pick<DirectoryEntry, 'region' | 'wrongRegion'> & { readonly forwarded: boolean };

/** One request on its way through the middleware: each step leaves here what it found out for the next. */
export class Exchange {
  readonly event: APIGatewayProxyEvent;
  readonly invocation: Invocation;
  readonly headers: LowerHeaders;
  readonly startedMs: number;
  /** Once authenticated. */
  principal: Principal | undefined = undefined;
  /** Once the tenant that it acts for is known. */
  caller: Caller | undefined = undefined;
  /** Of the request rate, once a unit was taken. */
  quota: QuotaState | undefined = undefined;
  /** Where it is in its trace; undefined where nothing is traced. */
  trace: RequestTrace | undefined = undefined;
  /** Set once the request turned out to belong to another region: from then on nothing of its tenant is told here. */
  elsewhere: Elsewhere | undefined = undefined;
  /** Once it is in the audit log that it begins. */
  begun: { readonly seq: number; readonly draft: Omit<AuditDraft, 'outcome'> } | undefined = undefined;
  /** Why it is asked for, in the caller's words, where the route asks for any: for the audit log. */
  reason: string | undefined = undefined;

  constructor(event: APIGatewayProxyEvent, invocation: Invocation, nowMs: number) {
    this.event = event;
    this.invocation = invocation;
    this.headers = toLowerCase(event.headers);
    this.startedMs = nowMs;
  }

  /** Who asks; for steps after authentication. */
  get asker(): Principal {
    if (this.principal === undefined) throw new Error('nobody has been authenticated for this route');
    return this.principal;
  }

  /** The caller with its tenant; for steps after identification. */
  get actingFor(): Caller {
    if (this.caller === undefined) throw new Error('no tenant has been identified for this route');
    return this.caller;
  }

  /** The tenant that the request names itself: in the path, or in an operator's header. */
  get namedTenant(): string | undefined {
    return this.event.pathParameters?.tenant ?? this.headers['sluice-tenant'];
  }
}

/** One step: what it does before the handler, after it, or once something was thrown. */
export type Middleware = middy.MiddlewareObj<Exchange, HttpAnswer, Error>;
export type Step = middy.Request<Exchange, HttpAnswer, Error>;

function toLowerCase(headers: APIGatewayProxyEvent['headers']): LowerHeaders {
  const lower: Record<string, string | undefined> = {};
  for (const name in headers) lower[name.toLowerCase()] = headers[name];
  return lower;
}
