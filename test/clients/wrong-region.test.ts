import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createSluiceClient } from '../../clients/typescript/client.ts';
import { SluiceError } from '../../clients/typescript/sluice-error.ts';
import { texts } from '../../clients/typescript/tensors.ts';
import { toProblem } from '../../core/api/problem.ts';
import { Failure } from '../../core/failure.ts';

const HOME = 'https://eu.sluice.example';

let server: Server;
let asked: string[];
let answer: (request: IncomingMessage, response: ServerResponse) => Promise<void>;

beforeEach(async () => {
  asked = [];
  server = createServer(async (request, response) => {
    asked.push(`${request.method} ${request.url}`);
    request.resume();
    await once(request, 'end');
    await answer(request, response);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
});

afterEach(() => {
  server.closeAllConnections();
  server.close();
});

/** As a region refuses what belongs elsewhere, `pauseMs` between the parts of the answer. */
async function refuse(response: ServerResponse, pauseMs: number): Promise<void> {
  const failure = new Failure('wrong-region', { homeUrl: HOME });
  const { status, headers, body } = toProblem(failure, { instance: '/v2', requestId: 'req_1' });
  const text = JSON.stringify(body);
  response.writeHead(status, headers);
  response.write(text.slice(0, 20));
  await delay(pauseMs);
  response.end(text.slice(20));
}

async function predict(): Promise<SluiceError> {
  const baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const client = createSluiceClient({ baseUrl, token: 'slk_eu_1_secret', attempts: 1 });
  const outcome = await client.predict('m', [texts('text', ['x'.repeat(1000)])]).catch((error: unknown) => error);
  if (!(outcome instanceof SluiceError)) throw new Error('no SluiceError', { cause: outcome });
  return outcome;
}

test.each([
  ['at once', 0],
  ['in parts, while a fetch is about to send the request again', 100],
])(
  'a region that is not the tenant\u2019s says where home is, also to a request with a body, if it answers %s',
  async (_, pauseMs) => {
    answer = (_request, response) => refuse(response, pauseMs);
    const error = await predict();
    expect(error).toMatchObject({ code: 'wrong-region', status: 421, retryable: false, problem: { home_url: HOME } });
  },
);

test('a connection that breaks is `network`, and nobody is asked why', async () => {
  answer = async (_request, response) => void response.destroy();
  expect(await predict()).toMatchObject({ code: 'network', retryable: true });
  expect(new Set(asked)).toEqual(new Set(['POST /v2/models/m/infer']));
});

test('a region that refused a request and then does not is `network`, not taken for the tenant\u2019s', async () => {
  answer = async ({ method }, response) => {
    if (method === 'POST') await refuse(response, 100);
    else response.end('{"models":[],"next":null}');
  };
  expect(await predict()).toMatchObject({ code: 'network', retryable: true });
  expect(asked.at(-1)).toBe('GET /v2/models?limit=1');
});
