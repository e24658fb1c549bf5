import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { APIGatewayProxyEvent } from 'aws-lambda';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { ApiGateway, type Integration } from '../support/aws/api-gateway.ts';
import { LambdaFunction, type LambdaSpec } from '../support/aws/lambda-function.ts';
import { ApiClient } from '../support/http-client.ts';
import { expectProblem } from '../support/problems.ts';
import { head, sendRaw } from '../support/raw-http.ts';

/** What a function that answers buffered does, by the `do` of its query. */
const BUFFERED = `
let ticks = 0;
export const handler = async (event, context) => {
  const what = event.queryStringParameters?.do ?? event.do;
  const json = (body, headers = {}) => ({ statusCode: 200, headers: { 'Content-Type': 'application/json', ...headers }, body: JSON.stringify(body) });
  if (what === 'echo') return json(event, { 'X-Seen': '1', 'WWW-Authenticate': 'Bearer' });
  if (what === 'bytes') return { statusCode: 201, headers: { 'Content-Type': 'application/octet-stream' }, isBase64Encoded: true, body: Buffer.from([0, 255, 1]).toString('base64') };
  if (what === 'tick') { setInterval(() => { ticks += 1; }, 5); return json({ ticks }); }
  if (what === 'ticks') return json({ ticks });
  if (what === 'throw') throw new RangeError('broken on purpose');
  if (what === 'exit') process.exit(7);
  if (what === 'hang') { console.log(JSON.stringify({ left: context.getRemainingTimeInMillis() })); await new Promise(() => { setInterval(() => {}, 1000); }); }
  if (what === 'slow') { await new Promise((resolve) => setTimeout(resolve, 200)); return json({ pid: process.pid }); }
  if (what === 'environment') return json(process.env);
  if (what === 'malformed') return { status: 200 };
  return { statusCode: 204 };
};`;

const STREAMED = `
import { setTimeout as delay } from 'node:timers/promises';
export const handler = awslambda.streamifyResponse(async (event, stream) => {
  const what = event.queryStringParameters?.do;
  if (what === 'throw') throw new Error('before the first byte');
  const body = awslambda.HttpResponseStream.from(stream, { statusCode: 202, headers: { 'X-Streamed': 'yes', 'Content-Type': 'text/plain' } });
  body.write('first ');
  if (what === 'break') { await delay(50); throw new Error('after it'); }
  if (what === 'large') for (let i = 0; i < 80; i += 1) if (!body.write(Buffer.alloc(100_000, 120))) await new Promise((go) => body.once('drain', go));
  await delay(300);
  body.end('last');
});`;

let folder: string;
const functions: LambdaFunction[] = [];
let buffered: LambdaFunction;
let streamed: LambdaFunction;
let gateway: ApiGateway;
let caller: ApiClient;

async function define(name: string, code: string, rest: Partial<LambdaSpec> = {}): Promise<LambdaFunction> {
  const own = await mkdtemp(join(folder, `${name}-`));
  await writeFile(join(own, 'index.mjs'), code);
  const environment = { AWS_REGION: 'us-east-1', GREETING: 'hello' };
  const made = new LambdaFunction({ name, folder: own, environment, timeoutMs: 1000, concurrency: 2, ...rest });
  functions.push(made);
  return made;
}

function integration(of: LambdaFunction, isStreamed = false): Integration {
  return { invoke: (event, id) => of.invoke(event, id), streamed: isStreamed, timeoutMs: 5000 };
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-shim-'));
  buffered = await define('buffered', BUFFERED);
  streamed = await define('streamed', STREAMED, { timeoutMs: 5000 });
  gateway = await ApiGateway.start(0, {
    'POST /models/{model}/run': integration(streamed, true),
    'ANY /models/{model}/run': integration(buffered),
    'ANY /{proxy+}': integration(buffered),
    'GET /short': { ...integration(buffered), timeoutMs: 100 },
  });
  caller = new ApiClient(gateway.url, 'secret');
});

afterAll(async () => {
  await gateway.stop();
  await Promise.all(functions.map((each) => each.stop()));
  await rm(folder, { recursive: true, force: true });
});

const eventOf = async (path: string, call: Parameters<ApiClient['send']>[2] = {}) =>
  (await caller.send(call.body === undefined ? 'GET' : 'POST', path, call)).json<APIGatewayProxyEvent>();

describe('a function', () => {
  test('runs one invocation at a time in each of its processes, and the others wait', async () => {
    const answers = await Promise.all(Array.from({ length: 6 }, () => buffered.run<{ body: string }>({ do: 'slow' })));
    const pids = answers.map(({ body }) => (JSON.parse(body) as { pid: number }).pid);
    expect(new Set(pids).size).toBe(2);
    expect(buffered.initMs.every((ms) => ms > 1)).toBe(true);
  });

  test('is frozen between invocations: what it left to timers does not go on', async () => {
    const alone = await define('alone', BUFFERED, { concurrency: 1 });
    await alone.run({ do: 'tick' });
    await delay(300);
    const { body } = await alone.run<{ body: string }>({ do: 'ticks' });
    expect((JSON.parse(body) as { ticks: number }).ticks).toBeLessThan(10);
  });

  test('is ended when its time is up, and the next invocation has another process', async () => {
    const brief = await define('brief', BUFFERED, { timeoutMs: 300, concurrency: 1 });
    await expect(brief.run({ do: 'hang' })).rejects.toThrow('timed out after 0.30 seconds');
    expect(await brief.run({})).toEqual({ statusCode: 204 });
    expect(brief.initMs).toHaveLength(2);
    const { left } = JSON.parse(brief.logLines.find((line) => line.includes('left'))!) as { left: number };
    expect(left).toBeGreaterThan(100);
    expect(left).toBeLessThanOrEqual(300);
  });

  test('that throws, exits or is killed fails, and goes on with the next', async () => {
    await expect(buffered.run({ do: 'throw' })).rejects.toThrow('broken on purpose');
    expect(buffered.logLines.some((line) => line.includes('broken on purpose'))).toBe(true);
    await expect(buffered.run({ do: 'exit' })).rejects.toThrow('exited with 7');
    const killed = buffered.run({ do: 'hang' });
    await vi.waitFor(() => expect(buffered.busy).toBe(1));
    await delay(50);
    await buffered.killAll();
    await expect(killed).rejects.toThrow('SIGKILL');
    expect(await buffered.run({})).toEqual({ statusCode: 204 });
  });

  test('that cannot be loaded says why', async () => {
    const broken = await define('broken', "throw new Error('no such table');");
    await expect(broken.run({})).rejects.toThrow('no such table');
  });

  test('sees what its deployment and Lambda set, and nothing of who runs it', async () => {
    const { body } = await buffered.run<{ body: string }>({ do: 'environment' });
    const environment = JSON.parse(body) as Record<string, string>;
    expect(environment).toMatchObject({ GREETING: 'hello', AWS_LAMBDA_FUNCTION_NAME: 'buffered', TZ: ':UTC' });
    expect(Object.keys(environment).filter((name) => /^(npm|VITEST|HOME|NODE)/.test(name))).toEqual([]);
  });
});

describe('a request', () => {
  test('arrives as API Gateway has it: any body in base64, names as sent, parameters decoded, the path not', async () => {
    const event = await eventOf('/a%2Fb/c%20d?do=echo&x=1&x=2', { body: '{"a":1}' });
    expect(event).toMatchObject({
      resource: '/{proxy+}',
      path: '/a%2Fb/c%20d',
      httpMethod: 'POST',
      pathParameters: { proxy: 'a/b/c d' },
      queryStringParameters: { do: 'echo', x: '2' },
      multiValueQueryStringParameters: { x: ['1', '2'] },
      isBase64Encoded: true,
      body: Buffer.from('{"a":1}').toString('base64'),
    });
    expect(event.headers.Host ?? event.headers.host).toBe(new URL(gateway.url).host);
    expect(event.headers['X-Forwarded-For']).toBe('127.0.0.1');
    expect(event.requestContext.requestId).toMatch(/^[0-9a-f-]{36}$/);
  });

  test('without a body has none; of a repeated header the last value counts and all are kept', async () => {
    const raw = head('GET /x?do=echo HTTP/1.1', 'Host: a', 'X-Two: 1', 'x-TWO: 3', 'X-Two: 2', 'Connection: close');
    const { body } = await sendRaw(gateway.url, [raw]);
    const event = JSON.parse(body) as APIGatewayProxyEvent;
    expect(event).toMatchObject({ body: null, isBase64Encoded: false, headers: { 'X-Two': '2', 'x-TWO': '3' } });
    expect(event.multiValueHeaders['X-Two']).toEqual(['1', '2']);
    expect(event.headers.Connection).toBeUndefined();
  });

  test('goes to the method of the closest resource', async () => {
    const event = await eventOf('/models/m%2B1/run?do=echo');
    expect(event).toMatchObject({ resource: '/models/{model}/run', pathParameters: { model: 'm+1' } });
    expect(await eventOf('/models/m?do=echo')).toMatchObject({ resource: '/{proxy+}' });
    // A resource without the method is no reason to look at another one.
    expectProblem(await caller.post('/short', {}), 'route-unknown');
  });

  test('of more than ten megabytes, or more than six with base64, is refused by the gateway', async () => {
    for (const size of [10 * 1024 * 1024 + 1, 5 * 1024 * 1024]) {
      const answer = await caller.send('POST', '/x', { body: new Uint8Array(size) });
      expectProblem(answer, 'body-too-large');
    }
  });
});

describe('an answer', () => {
  test('in base64 is bytes; without a type it is said to be JSON; some headers get another name', async () => {
    const bytes = await caller.get('/x?do=bytes');
    expect([bytes.status, [...bytes.bytes]]).toEqual([201, [0, 255, 1]]);
    expect((await caller.get('/x')).header('content-type')).toBe('application/json');
    const echo = await caller.get('/x?do=echo');
    expect(echo.header('www-authenticate')).toBeUndefined();
    expect(echo.header('x-amzn-remapped-www-authenticate')).toBe('Bearer');
    expect(echo.header('x-amzn-requestid')).toBe(echo.json<APIGatewayProxyEvent>().requestContext.requestId);
  });

  test.each(['throw', 'exit', 'malformed'])(
    'of a function that does %s is a problem that tells nothing',
    async (what) => {
      const answer = await caller.get(`/v2/x?do=${what}`);
      expectProblem(answer, 'internal');
      expect(answer.text).not.toContain('broken on purpose');
    },
  );

  test('that takes longer than the integration may is a problem that passes', async () => {
    expectProblem(await caller.get('/short?do=slow'), 'overloaded');
  });

  test('that is streamed comes as it is written, with its own status and headers', async () => {
    const response = await fetch(`${gateway.url}/models/m/run`, { method: 'POST', body: '{}' });
    expect([response.status, response.headers.get('x-streamed')]).toEqual([202, 'yes']);
    const reader = response.body!.getReader();
    const startedMs = performance.now();
    expect(Buffer.from((await reader.read()).value!).toString()).toBe('first ');
    expect(performance.now() - startedMs).toBeLessThan(250);
    expect(Buffer.from((await reader.read()).value!).toString()).toBe('last');
  });

  test('that is streamed may be larger than a buffered one', async () => {
    const answer = await caller.send('POST', '/models/m/run?do=large', { body: '{}' });
    expect(answer.bytes.length).toBe(8_000_010);
  });

  test('that breaks off before its first byte is a problem, after it the connection is cut', async () => {
    expectProblem(await caller.send('POST', '/models/m/run?do=throw', { body: '{}' }), 'internal');
    await expect(caller.send('POST', '/models/m/run?do=break', { body: '{}' })).rejects.toThrow();
  });
});
