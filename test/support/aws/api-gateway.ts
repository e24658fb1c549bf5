import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Readable } from 'node:stream';
import { type GatewayResponseType, gatewayProblem } from './gateway-problem.ts';
import { matchResource, type Resource, toResources } from './gateway-resources.ts';
import type { LambdaAnswer } from './lambda-sandbox.ts';
import { toProxyEvent } from './proxy-event.ts';

/** What a method of a resource invokes. */
export type Integration = {
  invoke(event: unknown, id: string): Promise<LambdaAnswer>;
  /** Whether the answer goes through as it comes; otherwise it is JSON with a body. */
  readonly streamed: boolean;
  readonly timeoutMs: number;
};

/** By method and resource, such as `POST /v2/models/{model}/infer`; `ANY` takes what no other method does. */
export type Methods = Readonly<Record<string, Integration>>;

/** Of API Gateway (https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html): 10 MB. */
const MOST_BODY_BYTES = 10 * 1024 * 1024;
/** Eight zero bytes end the head of a streamed answer (.../response-transfer-mode-lambda.html). */
const DELIMITER = Buffer.alloc(8);
const STREAMED_TYPE = 'application/vnd.awslambda.http-integration-response';
/** Gateways rename it in what functions answer (github.com/modelix/modelix.core/pull/1658, of 2025). */
const REMAPPED = 'www-authenticate';

type Head = { statusCode: number; headers?: Record<string, string>; multiValueHeaders?: Record<string, string[]> };
type Buffered = Head & { readonly body?: string; readonly isBase64Encoded?: boolean };

/**
 * A REST API of API Gateway as far as a caller or a function can tell: Lambda proxy integrations, buffered and streamed, with
 * any media type taken for binary. It asks nothing of a request but its size. A caller that goes away it does not notice.
 */
export class ApiGateway {
  readonly url: string;
  /** What of its own the gateway has answered. */
  readonly own: GatewayResponseType[] = [];
  readonly #server: Server;
  readonly #resources: Resource<Integration>;

  private constructor(server: Server, methods: Methods) {
    this.#server = server;
    this.#resources = toResources(methods);
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    server.on('request', (request, response) => void this.#answer(request, response));
  }

  static async start(port: number, methods: Methods): Promise<ApiGateway> {
    const server = createServer({ keepAliveTimeout: 60_000 }).listen(port, '127.0.0.1');
    await once(server, 'listening');
    return new ApiGateway(server, methods);
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const id = randomUUID();
    response.setHeader('x-amzn-RequestId', id);
    response.setHeader('x-amz-apigw-id', id.slice(0, 16));
    try {
      const own = await this.#serve(request, response, id);
      if (own === undefined) return;
      this.own.push(own);
      const { status, headers, body } = gatewayProblem(own, id);
      response.writeHead(status, headers).end(JSON.stringify(body));
    } catch {
      response.destroy();
    }
  }

  /** Answers, or says with what the gateway itself does. */
  async #serve(
    request: IncomingMessage,
    response: ServerResponse,
    id: string,
  ): Promise<GatewayResponseType | undefined> {
    const body = await readBody(request);
    if (body === undefined) return 'REQUEST_TOO_LARGE';
    const [path, query] = splitOnce(request.url ?? '', '?');
    const match = matchResource(this.#resources, request.method ?? '', path);
    if (match === undefined) return 'MISSING_AUTHENTICATION_TOKEN';
    const { resource, parameters, method } = match;
    const event = toProxyEvent(request, { path, query, resource, parameters, body, id });
    const timeout = Promise.withResolvers<'timeout'>();
    const timer = setTimeout(() => timeout.resolve('timeout'), method.timeoutMs);
    const answer = await Promise.race([method.invoke(event, id), timeout.promise]).finally(() => clearTimeout(timer));
    if (answer === 'timeout') return 'INTEGRATION_TIMEOUT';
    if (answer.kind === 'failed') {
      return answer.error === 'RequestEntityTooLargeException' ? 'REQUEST_TOO_LARGE' : 'DEFAULT_5XX';
    }
    if (method.streamed) return answer.kind === 'streaming' ? streamAnswer(answer, response) : 'DEFAULT_5XX';
    return answer.kind === 'answered' ? writeBuffered(answer.bytes, response) : 'DEFAULT_5XX';
  }
}

/** The whole body; undefined if it is larger than any may be. */
async function readBody(request: IncomingMessage): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size <= MOST_BODY_BYTES) chunks.push(chunk);
  }
  return size > MOST_BODY_BYTES ? undefined : Buffer.concat(chunks);
}

function writeBuffered(bytes: Buffer, response: ServerResponse): GatewayResponseType | undefined {
  let answer: Buffered;
  try {
    answer = JSON.parse(bytes.toString()) as Buffered;
  } catch {
    return 'DEFAULT_5XX';
  }
  if (!isHead(answer)) return 'DEFAULT_5XX';
  const body = Buffer.from(answer.body ?? '', answer.isBase64Encoded === true ? 'base64' : 'utf8');
  writeHead(response, answer, body.length);
  response.end(body);
  return undefined;
}

async function streamAnswer(
  { type, body }: { readonly type: string; readonly body: Readable },
  response: ServerResponse,
): Promise<GatewayResponseType | undefined> {
  if (type !== STREAMED_TYPE) {
    body.destroy();
    return 'DEFAULT_5XX';
  }
  let head: Buffer | undefined = Buffer.alloc(0);
  try {
    for await (const chunk of body as AsyncIterable<Buffer>) {
      let rest = chunk;
      if (head !== undefined) {
        head = Buffer.concat([head, chunk]);
        const at = head.indexOf(DELIMITER);
        if (at === -1) continue;
        const parsed = JSON.parse(head.subarray(0, at).toString()) as Head;
        if (!isHead(parsed)) return 'DEFAULT_5XX';
        writeHead(response, parsed);
        rest = head.subarray(at + DELIMITER.length);
        head = undefined;
      }
      if (rest.length > 0 && !response.write(rest) && !response.destroyed) {
        await drained(response);
      }
    }
  } catch (error) {
    if (head !== undefined) return 'DEFAULT_5XX';
    throw error;
  }
  if (head !== undefined) return 'DEFAULT_5XX';
  response.end();
  return undefined;
}

/** Until there is room again, or the caller has gone. */
async function drained(response: ServerResponse): Promise<void> {
  const over = new AbortController();
  const { signal } = over;
  await Promise.race([once(response, 'drain', { signal }), once(response, 'close', { signal })]).finally(() =>
    over.abort(),
  );
}

/** A function's answer that is not of the form that a gateway takes is an error of the integration (`Malformed Lambda proxy response`). */
function isHead(answer: Head | null): answer is Head {
  if (answer === null || typeof answer !== 'object') return false;
  const known = new Set(['statusCode', 'headers', 'multiValueHeaders', 'body', 'isBase64Encoded', 'cookies']);
  return Number.isInteger(Number(answer.statusCode)) && Object.keys(answer).every((name) => known.has(name));
}

/** Without a type of its own an answer is said to be JSON. */
function writeHead(response: ServerResponse, { statusCode, headers, multiValueHeaders }: Head, bytes?: number): void {
  const all = new Map<string, string | string[]>(Object.entries(multiValueHeaders ?? {}));
  for (const [name, value] of Object.entries(headers ?? {})) if (!all.has(name)) all.set(name, String(value));
  if (![...all.keys()].some((name) => name.toLowerCase() === 'content-type')) {
    all.set('Content-Type', 'application/json');
  }
  for (const [name, value] of all) {
    response.setHeader(name.toLowerCase() === REMAPPED ? `x-amzn-Remapped-${name}` : name, value);
  }
  if (bytes !== undefined && statusCode !== 204) response.setHeader('Content-Length', bytes);
  response.writeHead(Number(statusCode));
}

function splitOnce(text: string, mark: string): [string, string] {
  const at = text.indexOf(mark);
  return at === -1 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
}
