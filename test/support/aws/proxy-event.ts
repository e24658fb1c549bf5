import type { IncomingMessage } from 'node:http';
import type { APIGatewayProxyEvent } from 'aws-lambda';

type Parts = {
  /** As it was sent: REST APIs do not decode it (github.com/hotsock/voker/pull/8 shows captures). */
  readonly path: string;
  readonly query: string;
  readonly resource: string;
  readonly parameters: Readonly<Record<string, string>> | null;
  readonly body: Buffer;
  readonly id: string;
};

/** Between two neighbours on the way, not for the function. */
const HOP = new Set(['connection', 'content-length', 'expect', 'keep-alive', 'te', 'transfer-encoding', 'upgrade']);

/**
 * A request as a REST API with the binary media type of everything hands it to Lambda
 * (https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html): any body in base64, headers
 * in the sender's case, of a repeated one the last value in `headers`, and headers of the gateway's own.
 */
export function toProxyEvent(request: IncomingMessage, parts: Parts): APIGatewayProxyEvent {
  const headers = headersOf(request, parts.id);
  const query = [...new URLSearchParams(parts.query)] as [string, string][];
  const hasBody = parts.body.length > 0;
  return {
    resource: parts.resource,
    path: parts.path,
    httpMethod: request.method ?? '',
    headers: Object.fromEntries(headers),
    multiValueHeaders: collect(headers),
    queryStringParameters: query.length === 0 ? null : Object.fromEntries(query),
    multiValueQueryStringParameters: query.length === 0 ? null : collect(query),
    pathParameters: parts.parameters,
    stageVariables: null,
    requestContext: contextOf(request, parts),
    body: hasBody ? parts.body.toString('base64') : null,
    isBase64Encoded: hasBody,
  };
}

function headersOf(request: IncomingMessage, id: string): [string, string][] {
  const headers: [string, string][] = [];
  const raw = request.rawHeaders;
  for (let at = 0; at + 1 < raw.length; at += 2) {
    if (!HOP.has(raw[at]!.toLowerCase())) headers.push([raw[at]!, raw[at + 1]!]);
  }
  headers.push([
    'X-Amzn-Trace-Id',
    `Root=1-${Math.floor(Date.now() / 1000).toString(16)}-${id.replaceAll('-', '').slice(0, 24)}`,
  ]);
  headers.push(['X-Forwarded-For', request.socket.remoteAddress ?? '']);
  headers.push(['X-Forwarded-Port', '443'], ['X-Forwarded-Proto', 'https']);
  return headers;
}

function contextOf(request: IncomingMessage, parts: Parts): APIGatewayProxyEvent['requestContext'] {
  const nobody = {
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
    userArn: null,
  };
  return {
    accountId: '000000000000',
    apiId: 'local',
    authorizer: null,
    domainName: request.headers.host,
    httpMethod: request.method ?? '',
    identity: {
      ...nobody,
      sourceIp: request.socket.remoteAddress ?? '',
      userAgent: request.headers['user-agent'] ?? null,
    },
    path: parts.path,
    protocol: 'HTTP/1.1',
    requestId: parts.id,
    requestTimeEpoch: Date.now(),
    resourceId: 'local',
    resourcePath: parts.resource,
    stage: 'v1',
  };
}

function collect(entries: readonly (readonly [string, string])[]): Record<string, string[]> {
  const values = new Map<string, string[]>();
  for (const [name, value] of entries) values.set(name, [...(values.get(name) ?? []), value]);
  return Object.fromEntries(values);
}
