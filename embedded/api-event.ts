import { isUtf8 } from 'node:buffer';
import type { APIGatewayProxyEvent } from 'aws-lambda';

/** The request line and headers of one request, as node:http read them. */
export type RequestHead = {
  readonly method: string;
  /** As it was sent, without the query. */
  readonly path: string;
  /** Without the question mark. */
  readonly query: string;
  /** Name, value, name, value …, in the sender's case. */
  readonly rawHeaders: readonly string[];
  readonly sourceIp: string | undefined;
  readonly requestId: string;
  readonly arrivedAtMs: number;
};

/** The route that a request was matched to. */
export type MatchedPath = { readonly resource: string; readonly params: Readonly<Record<string, string>> | null };

export type EventBody = { readonly text: string | null; readonly isBase64: boolean };

export const NO_BODY: EventBody = { text: null, isBase64: false };

/** Content types that are text; without one a body is taken for JSON, as API Gateway does. */
const TEXT = /^(application\/(json|[^;]*\+json|x-www-form-urlencoded)|text\/)/i;

/** A body as events carry it: text as it is, anything else, and text that is no UTF-8, in base64. */
export function toEventBody(bytes: Buffer, contentType: string | undefined): EventBody {
  if (bytes.length === 0) return NO_BODY;
  if ((contentType === undefined || TEXT.test(contentType)) && isUtf8(bytes)) {
    return { text: bytes.toString('utf8'), isBase64: false };
  }
  return { text: bytes.toString('base64'), isBase64: true };
}

/**
 * A request as API Gateway's REST proxy integration hands it to Lambda. Header names keep the sender's case, and of a
 * repeated header `headers` has the last value, as there. What handlers seldom ask for is made when it is asked for.
 */
export class ApiEvent implements APIGatewayProxyEvent {
  readonly resource: string;
  readonly path: string;
  readonly httpMethod: string;
  readonly headers: APIGatewayProxyEvent['headers'];
  readonly pathParameters: APIGatewayProxyEvent['pathParameters'];
  readonly body: string | null;
  readonly isBase64Encoded: boolean;
  readonly stageVariables = null;
  readonly #head: RequestHead;

  constructor(head: RequestHead, matched: MatchedPath, body: EventBody) {
    this.resource = matched.resource;
    this.path = head.path;
    this.httpMethod = head.method;
    this.headers = toHeaders(head.rawHeaders);
    this.pathParameters = matched.params;
    this.body = body.text;
    this.isBase64Encoded = body.isBase64;
    this.#head = head;
  }

  get multiValueHeaders(): APIGatewayProxyEvent['multiValueHeaders'] {
    return collect(pairs(this.#head.rawHeaders));
  }

  get queryStringParameters(): APIGatewayProxyEvent['queryStringParameters'] {
    const { query } = this.#head;
    return query === '' ? null : Object.fromEntries(new URLSearchParams(query));
  }

  get multiValueQueryStringParameters(): APIGatewayProxyEvent['multiValueQueryStringParameters'] {
    const { query } = this.#head;
    return query === '' ? null : collect(new URLSearchParams(query));
  }

  get requestContext(): APIGatewayProxyEvent['requestContext'] {
    const head = this.#head;
    return {
      accountId: 'embedded',
      apiId: 'embedded',
      authorizer: null,
      httpMethod: head.method,
      identity: { ...NO_IDENTITY, sourceIp: head.sourceIp ?? '' },
      path: head.path,
      protocol: 'HTTP/1.1',
      requestId: head.requestId,
      requestTimeEpoch: Math.floor(head.arrivedAtMs),
      resourceId: this.resource,
      resourcePath: this.resource,
      stage: 'embedded',
    };
  }
}

const NO_IDENTITY = {
  accessKey: null,
  accountId: null,
  apiKey: null,
  apiKeyId: null,
  caller: null,
  clientCert: null,
  cognitoAuthenticationProvider: null,
  cognitoAuthenticationType: null,
  cognitoIdentityId: null,
  cognitoIdentityPoolId: null,
  principalOrgId: null,
  user: null,
  userAgent: null,
  userArn: null,
};

function toHeaders(raw: readonly string[]): Record<string, string> {
  const headers: Record<string, string> = {};
  for (let i = 0; i + 1 < raw.length; i += 2) headers[raw[i]!] = raw[i + 1]!;
  return headers;
}

function pairs(raw: readonly string[]): (readonly [string, string])[] {
  return Array.from({ length: raw.length / 2 }, (_, i) => [raw[2 * i]!, raw[2 * i + 1]!]);
}

function collect(entries: Iterable<readonly [string, string]>): Record<string, string[]> {
  const values = new Map<string, string[]>();
  for (const [name, value] of entries) values.set(name, [...(values.get(name) ?? []), value]);
  return Object.fromEntries(values);
}
