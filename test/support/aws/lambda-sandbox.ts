import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { PassThrough, type Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import type { LambdaSpec } from './lambda-function.ts';

const BOOTSTRAP = join(import.meta.dirname, 'lambda-bootstrap.ts');
const NEXT = '/2018-06-01/runtime/invocation/next';
const INIT_ERROR = '/2018-06-01/runtime/init/error';

/** What an invocation came to. A stream's `broken` is set, if at all, once `body` has ended. */
export type LambdaAnswer =
  | { readonly kind: 'answered'; readonly bytes: Buffer }
  | { readonly kind: 'streaming'; readonly type: string; readonly body: Readable }
  | { readonly kind: 'failed'; readonly error: string };

type Invocation = {
  readonly id: string;
  readonly event: Buffer;
  readonly deadlineMs: number;
  readonly answer: PromiseWithResolvers<LambdaAnswer>;
  body: PassThrough | undefined;
};

/**
 * One process of a function with its Runtime API. It runs one invocation at a time and is frozen (SIGSTOP) whenever it waits
 * for one: what it left to timers or open promises does not go on, as in Lambda.
 */
export class LambdaSandbox {
  /** What loading the function took; undefined until then. */
  initMs: number | undefined;
  /** Settles once it is ready for an invocation; rejects if it cannot be loaded. */
  readonly ready: Promise<void>;
  readonly #process: ChildProcess;
  readonly #api: Server;
  readonly #startedMs = performance.now();
  readonly #isReady = Promise.withResolvers<void>();
  #initError: string | undefined;
  #next: ServerResponse | undefined;
  #current: Invocation | undefined;
  #whenIdle: (() => void) | undefined;
  #timeout: NodeJS.Timeout | undefined;
  #isKilled = false;

  private constructor(api: Server, child: ChildProcess, onLine: (line: string) => void) {
    this.#api = api;
    this.#process = child;
    this.ready = this.#isReady.promise;
    this.ready.catch(() => {});
    api.on('request', (request, response) => void this.#serve(request, response));
    for (const output of [child.stdout!, child.stderr!]) createInterface(output).on('line', onLine);
    child.once('exit', (code, signal) => this.#onExit(`exited with ${signal ?? code}`));
  }

  static async start(spec: LambdaSpec, onLine: (line: string) => void): Promise<LambdaSandbox> {
    const api = createServer({ requestTimeout: 0, headersTimeout: 0 }).listen(0, '127.0.0.1');
    await once(api, 'listening');
    const port = (api.address() as AddressInfo).port;
    // The process has a disk of its own, which ends with it.
    const disk = await mkdtemp(join(tmpdir(), 'sluice-lambda-'));
    const child = spawn(process.execPath, [BOOTSTRAP], {
      cwd: spec.folder,
      env: { ...environmentOf(spec, `127.0.0.1:${port}`), TMPDIR: disk },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    child.once('exit', () => void rm(disk, { recursive: true, force: true }));
    return new LambdaSandbox(api, child, onLine);
  }

  get pid(): number {
    return this.#process.pid!;
  }

  /** Or is about to: it takes no invocation any more. */
  get hasEnded(): boolean {
    return this.#isKilled || this.#process.exitCode !== null || this.#process.signalCode !== null;
  }

  /** Only one at a time. `onIdle` is called once the process is frozen again, or has ended. */
  invoke(id: string, event: Buffer, timeoutMs: number, onIdle: () => void): Promise<LambdaAnswer> {
    if (this.hasEnded) {
      queueMicrotask(onIdle);
      return Promise.resolve({ kind: 'failed', error: 'the process had ended' });
    }
    if (this.#current !== undefined || this.#next === undefined) throw new Error('a sandbox was asked while busy');
    const answer = Promise.withResolvers<LambdaAnswer>();
    this.#current = { id, event, deadlineMs: Date.now() + timeoutMs, answer, body: undefined };
    this.#whenIdle = onIdle;
    this.#timeout = setTimeout(
      () => this.#end(`Task timed out after ${(timeoutMs / 1000).toFixed(2)} seconds`),
      timeoutMs,
    );
    this.#process.kill('SIGCONT');
    this.#deliver(this.#current, this.#next);
    this.#next = undefined;
    return answer.promise;
  }

  /** As a crash of the machine would: whatever it was doing. */
  async kill(): Promise<void> {
    const isRunning = !this.hasEnded;
    this.#isKilled = true;
    if (isRunning) {
      const ended = once(this.#process, 'exit');
      this.#process.kill('SIGKILL');
      await ended;
    }
    this.#api.closeAllConnections();
    this.#api.close();
  }

  #deliver({ id, event, deadlineMs }: Invocation, response: ServerResponse): void {
    response.writeHead(200, {
      'Content-Type': 'application/json',
      'Lambda-Runtime-Aws-Request-Id': id,
      'Lambda-Runtime-Deadline-Ms': String(deadlineMs),
      'Lambda-Runtime-Invoked-Function-Arn': 'arn:aws:lambda:us-east-1:000000000000:function:local',
      'Lambda-Runtime-Trace-Id': `Root=1-${Math.floor(Date.now() / 1000).toString(16)}-${id.replaceAll('-', '').slice(0, 24)}`,
    });
    response.end(event);
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.url === NEXT) {
      this.#onNext(response);
      return;
    }
    const current = this.#current;
    const accepted = () => response.writeHead(202, { 'Content-Type': 'application/json' }).end('{"status":"OK"}');
    try {
      if (request.url === INIT_ERROR) {
        this.#initError = (await buffer(request)).toString();
      } else if (current === undefined || !request.url?.includes(`/invocation/${current.id}/`)) {
        response.writeHead(403).end();
        return;
      } else if (request.url.endsWith('/error')) {
        current.answer.resolve({ kind: 'failed', error: (await buffer(request)).toString() });
      } else if (request.headers['lambda-runtime-function-response-mode'] === 'streaming') {
        await this.#stream(current, request);
      } else {
        current.answer.resolve({ kind: 'answered', bytes: await buffer(request) });
      }
      accepted();
    } catch {
      // The process has ended in the middle of its answer: `#onExit` says so.
    }
  }

  async #stream(current: Invocation, request: IncomingMessage): Promise<void> {
    const body = new PassThrough({ highWaterMark: 1 << 20 });
    current.body = body;
    current.answer.resolve({ kind: 'streaming', type: request.headers['content-type'] ?? '', body });
    for await (const chunk of request) if (!body.write(chunk)) await once(body, 'drain');
    const broken = request.trailers['lambda-runtime-function-error-type'];
    if (broken === undefined) body.end();
    else body.destroy(new Error(broken));
  }

  /** The first time the function has been loaded; later an invocation is over. */
  #onNext(response: ServerResponse): void {
    this.#next = response;
    clearTimeout(this.#timeout);
    this.#process.kill('SIGSTOP');
    this.#current = undefined;
    if (this.initMs === undefined) {
      this.initMs = performance.now() - this.#startedMs;
      this.#isReady.resolve();
    }
    this.#becomeIdle();
  }

  #end(reason: string): void {
    this.#fail(reason);
    this.#isKilled = true;
    this.#process.kill('SIGKILL');
  }

  #onExit(reason: string): void {
    clearTimeout(this.#timeout);
    this.#isReady.reject(new Error(`a function could not be loaded: ${this.#initError ?? reason}`));
    this.#fail(`RequestId: ${this.#current?.id} Error: Runtime ${reason}`);
    this.#api.closeAllConnections();
    this.#api.close();
    this.#becomeIdle();
  }

  #fail(error: string): void {
    this.#current?.answer.resolve({ kind: 'failed', error });
    this.#current?.body?.destroy(new Error(error));
  }

  #becomeIdle(): void {
    const whenIdle = this.#whenIdle;
    this.#whenIdle = undefined;
    whenIdle?.();
  }
}

/** What Lambda sets (https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html) and the deployment: nothing of this process. */
function environmentOf(spec: LambdaSpec, api: string): Record<string, string> {
  return {
    PATH: '/usr/local/bin:/usr/bin:/bin',
    LANG: 'en_US.UTF-8',
    TZ: ':UTC',
    AWS_LAMBDA_RUNTIME_API: api,
    LAMBDA_TASK_ROOT: spec.folder,
    _HANDLER: 'index.handler',
    AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs24.x',
    AWS_LAMBDA_FUNCTION_NAME: spec.name,
    AWS_LAMBDA_FUNCTION_VERSION: '$LATEST',
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: '1024',
    AWS_LAMBDA_LOG_GROUP_NAME: `/aws/lambda/${spec.name}`,
    AWS_LAMBDA_LOG_STREAM_NAME: `local/${spec.name}`,
    AWS_ACCESS_KEY_ID: 'local',
    AWS_SECRET_ACCESS_KEY: 'local',
    ...spec.environment,
  };
}
