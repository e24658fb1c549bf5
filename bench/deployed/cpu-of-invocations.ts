import { EventEmitter } from 'node:events';
import { writeFileSync } from 'node:fs';
import http, { type ClientRequest, type IncomingMessage } from 'node:http';
import { Session } from 'node:inspector/promises';
import { syncBuiltinESMExports } from 'node:module';
import { Readable } from 'node:stream';
import { InstantAws } from './instant-aws.ts';
import { INVOCATION_LINE } from './invocation-line.ts';

/*
 * Loaded into a function's process before everything else. Writes what CPU each invocation has cost, all threads, from when
 * its event arrives to when the next one is asked for. With SLUICE_BENCH_RECORDED=n calls of services are recorded during the
 * first n invocations, and answered in the process from then on: without sockets, all that the SDK does before and after them
 * remaining. With SLUICE_BENCH_PROFILE=path and SLUICE_BENCH_PROFILED=from,until a CPU profile of those invocations is written.
 */

type Options = { readonly headers?: Readonly<Record<string, string>> };
type OnResponse = (response: IncomingMessage) => void;

const request = http.request;
const runtime = `http://${process.env.AWS_LAMBDA_RUNTIME_API}/`;
const recorded = Number(process.env.SLUICE_BENCH_RECORDED ?? Number.NaN);
const aws = new InstantAws();
const profile = process.env.SLUICE_BENCH_PROFILE;
const [profiledFrom, profiledUntil] = (process.env.SLUICE_BENCH_PROFILED ?? '').split(',').map(Number);
const inspector = new Session();
let invocations = -1;
let passed = 0;
let before = process.cpuUsage();

/** A call that is answered where it is made: as much of a request as the SDK uses. */
class InstantRequest extends EventEmitter {
  readonly #target: string;
  readonly #onResponse: OnResponse;
  readonly #pass: () => ClientRequest;

  constructor(target: string, onResponse: OnResponse, pass: () => ClientRequest) {
    super();
    this.#target = target;
    this.#onResponse = onResponse;
    this.#pass = pass;
  }

  end(body: Buffer): this {
    const answer = aws.answer({ target: this.#target, body });
    if (answer === undefined) {
      passed += 1;
      this.#pass()
        .on('error', (error) => this.emit('error', error))
        .end(body);
    } else {
      setImmediate(() =>
        this.#onResponse(responseOf(answer.status, { 'content-type': JSON_TYPE }, Buffer.from(answer.text))),
      );
    }
    return this;
  }

  setTimeout(): this {
    return this;
  }

  destroy(): this {
    return this;
  }
}

const JSON_TYPE = 'application/x-amz-json-1.0';

function responseOf(statusCode: number, headers: IncomingMessage['headers'], bytes: Buffer): IncomingMessage {
  return Object.assign(Readable.from([bytes], { objectMode: false }), { statusCode, headers }) as IncomingMessage;
}

function recording(target: string, options: Options, onResponse: OnResponse): ClientRequest {
  let body: Buffer = Buffer.alloc(0);
  const asking = request(options, async (response) => {
    const bytes = Buffer.concat(await Array.fromAsync(response as AsyncIterable<Buffer>));
    const status = response.statusCode ?? 500;
    if (status < 500) aws.record({ target, body }, status, bytes);
    onResponse(responseOf(status, response.headers, bytes));
  });
  const end = asking.end.bind(asking);
  return Object.assign(asking, {
    end(bytes: Buffer) {
      body = bytes;
      return end(bytes);
    },
  });
}

function onNext(): void {
  const { user, system } = process.cpuUsage(before);
  if (invocations >= 0) process.stdout.write(`${INVOCATION_LINE} ${user + system} ${passed}\n`);
  invocations += 1;
  if (profile !== undefined) void profileUpTo(invocations, profile);
  passed = 0;
  before = process.cpuUsage();
}

async function profileUpTo(count: number, path: string): Promise<void> {
  if (count === profiledFrom) {
    inspector.connect();
    await inspector.post('Profiler.enable');
    await inspector.post('Profiler.setSamplingInterval', { interval: 200 });
    await inspector.post('Profiler.start');
  } else if (count === profiledUntil) {
    writeFileSync(path, JSON.stringify((await inspector.post('Profiler.stop')).profile));
  }
}

http.request = ((...args: Parameters<typeof request>) => {
  const [where, options] = args as unknown[];
  if (typeof where === 'string' && where.startsWith(runtime)) {
    if (where.endsWith('/invocation/next')) onNext();
    return request(...args);
  }
  const asked = where as Options;
  const target = asked.headers?.['x-amz-target'] ?? asked.headers?.['X-Amz-Target'];
  if (Number.isNaN(recorded) || target === undefined) return request(...args);
  if (invocations < recorded) return recording(target, asked, options as OnResponse);
  return new InstantRequest(target, options as OnResponse, () => request(asked, options as OnResponse));
}) as typeof request;
syncBuiltinESMExports();
