import { type ClientRequest, type IncomingMessage, request } from 'node:http';
import { Writable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { pathToFileURL } from 'node:url';

/*
 * What Lambda's Node runtime does in a function's process: loads the handler, then asks for one invocation after the other
 * over the Runtime API (https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html) and answers each, buffered or as a
 * stream. Imports nothing of this repository: a function finds its bundle and Node, as there.
 */

type Context = Readonly<Record<string, unknown>> & { getRemainingTimeInMillis(): number };
type Handler = (event: unknown, context: Context) => unknown;
type Streamed = (event: unknown, stream: ResponseStream, context: Context) => Promise<void>;

const STREAMED = Symbol.for('aws.lambda.runtime.handler.streaming');
const { AWS_LAMBDA_RUNTIME_API, LAMBDA_TASK_ROOT, _HANDLER } = process.env as Record<string, string>;
const API = `http://${AWS_LAMBDA_RUNTIME_API}/2018-06-01/runtime`;

/** A streamed answer on its way: nothing is sent before the first write, as its head says of what type it is. */
class ResponseStream extends Writable {
  readonly #url: string;
  #contentType = 'application/octet-stream';
  #prelude: Buffer | undefined;
  #request: ClientRequest | undefined;
  #answered: Promise<unknown> = Promise.resolve();

  constructor(url: string) {
    super();
    this.#url = url;
  }

  setContentType(type: string): void {
    this.#contentType = type;
  }

  /** Of `HttpResponseStream`: status and headers, then eight zero bytes, before the first byte of the body. */
  setPrelude(prelude: Buffer): void {
    this.#prelude = prelude;
  }

  get hasBegun(): boolean {
    return this.#request !== undefined;
  }

  override _write(chunk: Buffer, encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#open().write(chunk, encoding, done);
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#open().end();
    this.#answered.then(() => done(), done);
  }

  /** An error after the first byte goes into the trailers. */
  async breakOff(error: unknown): Promise<void> {
    const sending = this.#open();
    sending.addTrailers({
      'Lambda-Runtime-Function-Error-Type': 'Runtime.StreamError',
      'Lambda-Runtime-Function-Error-Body': Buffer.from(JSON.stringify(describe(error))).toString('base64'),
    });
    sending.end();
    await this.#answered;
  }

  #open(): ClientRequest {
    if (this.#request !== undefined) return this.#request;
    const headers = {
      'Content-Type': this.#contentType,
      'Lambda-Runtime-Function-Response-Mode': 'streaming',
      'Transfer-Encoding': 'chunked',
      Trailer: 'Lambda-Runtime-Function-Error-Type, Lambda-Runtime-Function-Error-Body',
    };
    const sending = request(this.#url, { method: 'POST', headers });
    this.#request = sending;
    this.#answered = new Promise<void>((resolve, reject) => {
      sending.on('response', (response) => response.resume().on('end', resolve)).on('error', reject);
    });
    if (this.#prelude !== undefined) sending.write(this.#prelude);
    return sending;
  }
}

Object.assign(globalThis, {
  awslambda: {
    streamifyResponse: (handler: Streamed) => Object.assign(handler, { [STREAMED]: 'response' }),
    HttpResponseStream: {
      from(stream: ResponseStream, metadata: unknown) {
        stream.setContentType('application/vnd.awslambda.http-integration-response');
        stream.setPrelude(Buffer.concat([Buffer.from(JSON.stringify(metadata)), Buffer.alloc(8)]));
        return stream;
      },
    },
  },
});

function call(method: string, url: string, body?: string): Promise<{ head: IncomingMessage; bytes: Buffer }> {
  return new Promise((resolve, reject) => {
    const asking = request(url, { method, headers: body === undefined ? {} : { 'Content-Type': 'application/json' } });
    asking.on('error', reject);
    asking.on('response', (head) => buffer(head).then((bytes) => resolve({ head, bytes }), reject));
    asking.end(body);
  });
}

function describe(error: unknown): { errorType: string; errorMessage: string; trace: string[] } {
  const { name, message, stack = '' } = error instanceof Error ? error : new Error(String(error));
  return { errorType: name, errorMessage: message, trace: stack.split('\n') };
}

function toContext(head: IncomingMessage): Context {
  const deadlineMs = Number(head.headers['lambda-runtime-deadline-ms']);
  return {
    awsRequestId: String(head.headers['lambda-runtime-aws-request-id']),
    invokedFunctionArn: String(head.headers['lambda-runtime-invoked-function-arn']),
    functionName: process.env.AWS_LAMBDA_FUNCTION_NAME,
    functionVersion: process.env.AWS_LAMBDA_FUNCTION_VERSION,
    memoryLimitInMB: process.env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
    logGroupName: process.env.AWS_LAMBDA_LOG_GROUP_NAME,
    logStreamName: process.env.AWS_LAMBDA_LOG_STREAM_NAME,
    callbackWaitsForEmptyEventLoop: true,
    getRemainingTimeInMillis: () => Math.max(0, deadlineMs - Date.now()),
  };
}

async function load(): Promise<Handler | Streamed> {
  const [file, name] = _HANDLER!.split('.') as [string, string];
  const module = (await import(pathToFileURL(`${LAMBDA_TASK_ROOT}/${file}.mjs`).href)) as Record<string, unknown>;
  const handler = module[name];
  if (typeof handler !== 'function') throw new Error(`${_HANDLER} is no function`);
  return handler as Handler;
}

async function stream(handler: Streamed, event: unknown, url: string, context: Context): Promise<void> {
  const answer = new ResponseStream(`${url}/response`);
  try {
    await handler(event, answer, context);
    if (!answer.writableFinished) {
      await new Promise<void>((resolve, reject) => {
        answer.on('error', reject);
        answer.end(resolve);
      });
    }
  } catch (error) {
    console.error(JSON.stringify(describe(error)));
    if (answer.hasBegun) await answer.breakOff(error);
    else await call('POST', `${url}/error`, JSON.stringify(describe(error)));
  }
}

async function answer(handler: Handler, event: unknown, url: string, context: Context): Promise<void> {
  try {
    const result = (await handler(event, context)) ?? null;
    await call('POST', `${url}/response`, JSON.stringify(result));
  } catch (error) {
    console.error(JSON.stringify(describe(error)));
    await call('POST', `${url}/error`, JSON.stringify(describe(error)));
  }
}

async function run(): Promise<never> {
  let handler: Handler | Streamed;
  try {
    handler = await load();
  } catch (error) {
    console.error(JSON.stringify(describe(error)));
    await call('POST', `${API}/init/error`, JSON.stringify(describe(error)));
    process.exit(1);
  }
  const isStreamed = STREAMED in handler;
  for (;;) {
    const { head, bytes } = await call('GET', `${API}/invocation/next`);
    const context = toContext(head);
    const url = `${API}/invocation/${context.awsRequestId}`;
    const event: unknown = JSON.parse(bytes.toString());
    if (isStreamed) await stream(handler as Streamed, event, url, context);
    else await answer(handler as Handler, event, url, context);
  }
}

await run();
