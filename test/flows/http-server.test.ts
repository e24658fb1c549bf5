import { setTimeout as sleep } from 'node:timers/promises';
import type { APIGatewayProxyEvent } from 'aws-lambda';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { SystemClock } from '../../adapters/node/system-clock.ts';
import type { Log } from '../../core/ports/log.ts';
import { MIB } from '../../core/units.ts';
import { type HttpServer, listen } from '../../embedded/http-server.ts';
import { createHttp } from '../../lambdas/http/handlers.ts';
import type { ModelHost } from '../../lambdas/http/host.ts';
import type { HttpAnswer, Invocation } from '../../lambdas/middleware/http-handler.ts';
import { RawConnection } from '../support/raw-connection.ts';
import { head, sendRaw } from '../support/raw-http.ts';

type Handle = (event: APIGatewayProxyEvent, invocation: Invocation) => HttpAnswer | Promise<HttpAnswer>;

const INFER = '/v2/models/m/infer';
const LIMIT_BYTES = 4 * MIB;
const clock = new SystemClock();

let server: HttpServer;
let connections: RawConnection[];
let events: APIGatewayProxyEvent[];
/** What infer and upload-receive do; the other routes are the real ones. */
let handle: Handle;
let errors: unknown[];

beforeEach(async () => {
  connections = [];
  events = [];
  errors = [];
  handle = () => json(200, { ok: true });
  const log: Log = { debug() {}, info() {}, warn() {}, error: (_, cause) => errors.push(cause) };
  const config = { region: 'us', regionUrls: {}, corsOrigins: [] };
  const http = createHttp({ config, clock, log } as unknown as ModelHost);
  const stub = async (event: APIGatewayProxyEvent, invocation: Invocation) => {
    if (invocation.refusal !== undefined) return http.refuse(event, invocation);
    events.push(event);
    return handle(event, invocation);
  };
  server = await listen('127.0.0.1', 0);
  server.serve({ handlers: { ...http, routes: { ...http.routes, infer: stub, 'upload-receive': stub } }, clock, log });
});

afterEach(async () => {
  await Promise.all([...connections.map((connection) => connection.destroy()), server.close(0)]);
  expect(errors).toEqual([]);
});

function json(status: number, body: unknown): HttpAnswer {
  return { status, headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) };
}

function open(): RawConnection {
  const connection = new RawConnection(server.url);
  connections.push(connection);
  return connection;
}

const post = (path: string, ...lines: readonly string[]) => head(`POST ${path} HTTP/1.1`, 'Host: x', ...lines);
const get = (path: string) => head(`GET ${path} HTTP/1.1`, 'Host: x');
const send = (...parts: readonly (string | Uint8Array)[]) => sendRaw(server.url, parts);
const codeOf = (answer: { readonly body: string }) => (JSON.parse(answer.body) as { code: string }).code;

describe('events', () => {
  test('are those of a REST proxy integration: raw names, last of repeated headers, decoded path and query', async () => {
    const body = '{"text":"Grüße"}';
    const lines = ['X-Odd: one', 'x-odd: two', 'X-Odd: three', `Content-Length: ${Buffer.byteLength(body)}`];
    await send(post('/v2/models/%6d/infer?a=1&a=2&b=%20', ...lines), body);
    const event = events[0]!;
    expect(event).toMatchObject({
      resource: '/v2/models/{model}/infer',
      path: '/v2/models/%6d/infer',
      httpMethod: 'POST',
      pathParameters: { model: 'm' },
      body,
      isBase64Encoded: false,
    });
    expect(event.headers).toMatchObject({ Host: 'x', 'X-Odd': 'three', 'x-odd': 'two' });
    expect(event.multiValueHeaders).toMatchObject({ 'X-Odd': ['one', 'three'], 'x-odd': ['two'] });
    expect(event.queryStringParameters).toEqual({ a: '2', b: ' ' });
    expect(event.multiValueQueryStringParameters).toEqual({ a: ['1', '2'], b: [' '] });
    expect(event.requestContext).toMatchObject({ resourcePath: '/v2/models/{model}/infer', httpMethod: 'POST' });
    expect(event.requestContext.identity.sourceIp).toBe('127.0.0.1');
  });

  test('carry any bytes unchanged, however they arrive', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ maxLength: 300 }),
        fc.constantFrom('application/json', 'application/octet-stream', undefined),
        fc.boolean(),
        async (bytes, type, chunked) => {
          const lines = type === undefined ? [] : [`Content-Type: ${type}`];
          const half = bytes.length >> 1;
          if (chunked) {
            const parts = [bytes.subarray(0, half), bytes.subarray(half)].filter((part) => part.length > 0);
            const framed = parts.flatMap((part) => [`${part.length.toString(16)}\r\n`, part, '\r\n']);
            await send(post(INFER, 'Transfer-Encoding: chunked', ...lines), ...framed, '0\r\n\r\n');
          } else {
            await send(
              post(INFER, `Content-Length: ${bytes.length}`, ...lines),
              bytes.subarray(0, half),
              bytes.subarray(half),
            );
          }
          const { body, isBase64Encoded } = events.at(-1)!;
          expect(new Uint8Array(Buffer.from(body ?? '', isBase64Encoded ? 'base64' : 'utf8'))).toEqual(bytes);
        },
      ),
      { numRuns: 60 },
    );
  });

  test('an offer to speak another protocol is not taken up', async () => {
    const offer = ['Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c', 'HTTP2-Settings: AAMAAABk'];
    expect((await send(post(INFER, ...offer))).status).toBe(200);
  });

  test('a request without a body has none, and with an absolute target the same path', async () => {
    await send(post('http://elsewhere.example/v2/models/m/infer'));
    expect(events[0]).toMatchObject({ body: null, isBase64Encoded: false, path: INFER });
  });
});

describe('answers', () => {
  test('pipelined requests are answered in their order, whatever finishes first', async () => {
    handle = async ({ queryStringParameters }) => {
      const wait = Number(queryStringParameters?.wait);
      await sleep(wait);
      return json(200, { wait });
    };
    const connection = open();
    connection.send([60, 0, 30].map((wait) => post(`${INFER}?wait=${wait}`)).join(''));
    await connection.until(({ statuses }) => statuses.length === 3);
    expect([...connection.text.matchAll(/"wait":(\d+)/g)].map((match) => match[1])).toEqual(['60', '0', '30']);
    expect(connection.closed).toBe(false);
  });

  test('streams come as they are made, and one that fails is cut off, not ended', async () => {
    async function* stream(fail: boolean) {
      yield Buffer.from('first');
      yield Buffer.from('second');
      if (fail) throw new Error('source broke');
    }
    handle = () => ({ status: 200, headers: {}, body: stream(false) });
    const whole = open();
    whole.send(post(INFER));
    await whole.until(({ text }) => text.endsWith('0\r\n\r\n'));
    expect(whole.text).toContain('5\r\nfirst\r\n6\r\nsecond\r\n');
    handle = () => ({ status: 200, headers: {}, body: stream(true) });
    const cut = open();
    cut.send(post(INFER));
    await cut.until(({ closed }) => closed);
    expect(cut.text).not.toContain('0\r\n\r\n');
  });

  test('a stream that its client does not read waits, and is let go when the client goes', async () => {
    let made = 0;
    let finished = false;
    async function* endless() {
      try {
        while (true) {
          made += 1;
          yield Buffer.alloc(64 * 1024);
        }
      } finally {
        finished = true;
      }
    }
    handle = () => ({ status: 200, headers: {}, body: endless() });
    const connection = open();
    connection.socket.pause();
    connection.send(post(INFER));
    await vi.waitFor(async () => {
      const before = made;
      await sleep(300);
      expect(made).toBe(before);
    });
    expect(made).toBeGreaterThan(0);
    await connection.destroy();
    const watcher = open();
    await watcher.until(() => finished);
  });

  test('HEAD is GET without the body; OPTIONS names the methods; others are refused with them', async () => {
    const gotten = await send(get('/v2/health/live'));
    const connection = open();
    connection.send(head('HEAD /v2/health/live HTTP/1.1', 'Host: x', 'Connection: close'));
    await connection.until(({ closed }) => closed);
    expect(connection.text).toContain(`Content-Length: ${gotten.body.length}`);
    expect(connection.text.endsWith('\r\n\r\n')).toBe(true);
    const options = open();
    options.send(head(`OPTIONS /v2/predictions/pred_${'0'.repeat(32)} HTTP/1.1`, 'Host: x', 'Connection: close'));
    await options.until(({ closed }) => closed);
    expect(options.text).toMatch(/^HTTP\/1\.1 204 /);
    expect(options.text).toContain('Allow: DELETE, GET, HEAD, OPTIONS\r\n');
    const refused = await send(head('PUT /v2/health/live HTTP/1.1', 'Host: x'));
    expect([refused.status, refused.headers.get('allow')]).toEqual([405, 'GET, HEAD, OPTIONS']);
  });

  test('a handler that breaks its promise costs one answer', async () => {
    handle = () => {
      throw new Error('broken');
    };
    expect((await send(post(INFER))).status).toBe(500);
    expect(errors.splice(0)).toHaveLength(1);
    handle = () => ({ status: 200, headers: { Broken: 'a\r\nb: c' }, body: '' });
    expect((await send(post(INFER))).status).toBeUndefined();
    expect(errors.splice(0)).toHaveLength(1);
    handle = () => json(200, {});
    expect((await send(post(INFER))).status).toBe(200);
  });
});

describe('bodies', () => {
  test('a declared length over the limit is refused at once, and the connection ends', async () => {
    const connection = open();
    connection.send(post(INFER, `Content-Length: ${LIMIT_BYTES + 1}`));
    await connection.until(({ text }) => text.includes('body-too-large'));
    expect(connection.text).toMatch(/^HTTP\/1\.1 413 /);
    expect(connection.text).toContain('Connection: close');
    await connection.until(({ closed }) => closed);
    expect(events).toEqual([]);
  });

  test('a client that sends on after being refused still reads why', async () => {
    const connection = open();
    connection.send(post(INFER, `Content-Length: ${2 * LIMIT_BYTES}`), Buffer.alloc(2 * LIMIT_BYTES));
    await connection.until(({ closed }) => closed);
    expect(connection.statuses).toEqual([413]);
    expect(connection.text).toContain('"code":"body-too-large"');
  });

  test('a chunked body is cut at the limit', async () => {
    const connection = open();
    const chunk = Buffer.concat([Buffer.from('100000\r\n'), Buffer.alloc(MIB), Buffer.from('\r\n')]);
    connection.send(post(INFER, 'Transfer-Encoding: chunked'), chunk, chunk, chunk, chunk);
    await sleep(50);
    expect(connection.statuses).toEqual([]);
    connection.send('1\r\nx\r\n');
    await connection.until(({ text }) => text.includes('body-too-large'));
    expect(connection.statuses).toEqual([413]);
  });

  test('a body of exactly the limit is taken', async () => {
    await send(post(INFER, `Content-Length: ${LIMIT_BYTES}`), Buffer.alloc(LIMIT_BYTES, 'a'));
    expect(events[0]?.body).toHaveLength(LIMIT_BYTES);
  });

  test('a body that ends early is told so', async () => {
    const connection = open();
    connection.send(post(INFER, 'Content-Length: 10'), 'short');
    connection.socket.end();
    await connection.until(({ closed }) => closed);
    expect(connection.statuses).toEqual([400]);
    expect(connection.text).toContain('"code":"body-incomplete"');
    expect(events).toEqual([]);
  });

  test('Expect: 100-continue is told to go on, or refused before the body', async () => {
    const good = open();
    good.send(post(INFER, 'Expect: 100-continue', 'Content-Length: 2'));
    await good.until(({ statuses }) => statuses[0] === 100);
    good.send('{}');
    await good.until(({ statuses }) => statuses.length === 2);
    expect([good.statuses, events[0]?.body]).toEqual([[100, 200], '{}']);
    const large = open();
    large.send(post(INFER, 'Expect: 100-continue', `Content-Length: ${LIMIT_BYTES + 1}`));
    await large.until(({ closed }) => closed);
    expect(large.statuses).toEqual([413]);
    expect(codeOf(await send(post(INFER, 'Expect: the-unexpected')))).toBe('header-invalid');
  });

  test('an upload goes on as it comes, over any limit, and its reader may stop early', async () => {
    let sizes: number[] = [];
    handle = async (_, { bodyStream }) => {
      for await (const chunk of bodyStream!) sizes.push(chunk.length);
      return json(200, {});
    };
    const path = '/uploads/u1?token=t';
    const large = 2 * LIMIT_BYTES;
    const put = (bytes: number) => head(`PUT ${path} HTTP/1.1`, 'Host: x', `Content-Length: ${bytes}`);
    expect((await send(put(large), Buffer.alloc(large))).status).toBe(200);
    expect(sizes.length).toBeGreaterThan(1);
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(large);
    sizes = [];
    handle = async (_, { bodyStream }) => {
      for await (const chunk of bodyStream!) if (sizes.push(chunk.length) === 1) break;
      return json(413, {});
    };
    const stopped = open();
    stopped.send(put(large), Buffer.alloc(large));
    await stopped.until(({ closed }) => closed);
    expect(stopped.statuses).toEqual([413]);
  });

  test('an upload whose client goes away ends with body-incomplete', async () => {
    let ended: unknown;
    handle = async (_, { bodyStream }) => {
      try {
        for await (const _chunk of bodyStream!);
      } catch (error) {
        ended = error;
      }
      return json(200, {});
    };
    const connection = open();
    connection.send(head('PUT /uploads/u1?token=t HTTP/1.1', 'Host: x', 'Content-Length: 1000'), 'some');
    await connection.until(() => events.length === 1);
    await connection.destroy();
    const watcher = open();
    await watcher.until(() => ended !== undefined);
    expect(ended).toMatchObject({ code: 'body-incomplete' });
  });
});

describe('clients that go away', () => {
  test('abort what they wait for, also behind other requests of their connection', async () => {
    const signals: AbortSignal[] = [];
    handle = async (_, { signal }) => {
      signals.push(signal!);
      if (signals.length > 1) await new Promise((resolve) => signal!.addEventListener('abort', resolve));
      return json(200, {});
    };
    const connection = open();
    connection.send(post(INFER));
    await connection.until(({ statuses }) => statuses.length === 1);
    connection.send(post(INFER), post(INFER));
    await connection.until(() => signals.length === 3);
    expect(signals.map((signal) => signal.aborted)).toEqual([false, false, false]);
    await connection.destroy();
    const watcher = open();
    await watcher.until(() => signals[2]!.aborted);
    expect(signals.slice(1).map((signal) => signal.aborted)).toEqual([true, true]);
  });
});

describe('what is no request', () => {
  test.each([
    ['nonsense', 'GET\r\n\r\n', 400, 'request-invalid'],
    ['a header without a colon', 'GET / HTTP/1.1\r\nHost: x\r\nbroken\r\n\r\n', 400, 'request-invalid'],
    ['two lengths', `${post(INFER, 'Content-Length: 2', 'Content-Length: 3')}{}`, 400, 'request-invalid'],
    [
      'a length beside chunks',
      `${post(INFER, 'Content-Length: 2', 'Transfer-Encoding: chunked')}{}`,
      400,
      'request-invalid',
    ],
    ['headers beyond 16 KiB', head('GET / HTTP/1.1', 'Host: x', `X: ${'a'.repeat(17_000)}`), 431, 'headers-too-large'],
    ['no Host', head('GET /v2 HTTP/1.1'), 400, 'header-invalid'],
    ['a path that is none', head('GET nowhere HTTP/1.1', 'Host: x'), 400, 'request-invalid'],
    ['a path that nothing has', get('/v3'), 404, 'route-unknown'],
    ['a broken percent-encoding', get('/v2/models/%zz'), 404, 'model-unknown'],
  ])('%s is a problem with a stable code', async (_, bytes, status, code) => {
    const answer = await send(bytes);
    expect([answer.status, answer.headers.get('content-type')]).toEqual([status, 'application/problem+json']);
    expect(codeOf(answer)).toBe(code);
  });

  test('is answered after what the connection still owes, never in its place', async () => {
    handle = async () => {
      await sleep(100);
      return json(200, {});
    };
    const connection = open();
    connection.send(post(INFER), 'NONSENSE\r\n\r\n');
    await connection.until(({ closed }) => closed);
    expect(connection.statuses).toEqual([200, 400]);
  });

  test('any bytes are answered with a problem or not at all, and the server goes on', async () => {
    await fc.assert(
      fc.asyncProperty(fc.oneof(fc.uint8Array({ maxLength: 200 }), fc.string({ maxLength: 200 })), async (bytes) => {
        const { status } = await sendRaw(server.url, [bytes, '\r\n\r\n'], { untilMs: 50 });
        expect([undefined, 400, 404, 405, 431]).toContain(status);
      }),
      { numRuns: 50 },
    );
    expect((await send(get('/v2/health/live'))).status).toBe(200);
  });
});

describe('closing', () => {
  test('answers what is under way and ends its connection; idle connections end at once', async () => {
    handle = async () => {
      await sleep(150);
      return json(200, { late: true });
    };
    const busy = open();
    const idle = open();
    idle.send(get('/v2/health/live'));
    await idle.until(({ statuses }) => statuses.length === 1);
    busy.send(post(INFER));
    await busy.until(() => events.length === 1);
    await server.close(5_000);
    await busy.until(({ closed }) => closed);
    await idle.until(({ closed }) => closed);
    expect(busy.text).toContain('Connection: close');
    expect(busy.text).toContain('"late":true');
    await expect(fetch(server.url)).rejects.toThrow();
  });

  test('cuts what takes longer than it is given', async () => {
    handle = () => new Promise(() => {});
    const connection = open();
    connection.send(post(INFER));
    await connection.until(() => events.length === 1);
    await server.close(50);
    await connection.until(({ closed }) => closed);
    expect(connection.statuses).toEqual([]);
  });
});

test('before there is anything to serve, requests are told to come again', async () => {
  const early = await listen('127.0.0.1', 0);
  const response = await fetch(early.url);
  expect([response.status, response.headers.get('retry-after')]).toEqual([503, '1']);
  await early.close(0);
});
