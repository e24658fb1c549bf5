import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { HttpForwarder } from '../../adapters/node/http-forwarder.ts';

const forwarder = new HttpForwarder();
let home: Server;
let url: string;
let answer: (request: IncomingMessage, response: ServerResponse, body: string) => void;

beforeEach(async () => {
  home = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    answer(request, response, Buffer.concat(chunks).toString());
  });
  home.listen(0, '127.0.0.1');
  await once(home, 'listening');
  url = `http://127.0.0.1:${(home.address() as AddressInfo).port}/v2/models/m/infer?a=1`;
});

afterEach(() => {
  home.closeAllConnections();
  home.close();
});

const bytes = (text: string) => new TextEncoder().encode(text);
const post = (headers: Record<string, string>, body?: Uint8Array) =>
  forwarder.forward({ method: 'POST', url, headers, body });

test('method, target, headers and body arrive; what belongs to one connection does not', async () => {
  let seen: {
    method?: string | undefined;
    url?: string | undefined;
    headers?: IncomingMessage['headers'];
    body?: string;
  } = {};
  answer = ({ method, url: target, headers }, response, body) => {
    seen = { method, url: target, headers, body };
    response.writeHead(200).end();
  };
  await post(
    {
      Authorization: 'Bearer x',
      Prefer: 'wait=1',
      Host: 'us.test',
      Connection: 'keep-alive, X-Private',
      'X-Private': '1',
      'Keep-Alive': '5',
      'Transfer-Encoding': 'chunked',
      'Content-Length': '999',
      Expect: '100-continue',
    },
    bytes('payload'),
  );
  expect(seen).toMatchObject({ method: 'POST', url: '/v2/models/m/infer?a=1', body: 'payload' });
  expect(seen.headers).toMatchObject({ authorization: 'Bearer x', prefer: 'wait=1', 'content-length': '7' });
  expect(seen.headers?.host).not.toBe('us.test');
  for (const name of ['x-private', 'keep-alive', 'expect', 'transfer-encoding'])
    expect(seen.headers).not.toHaveProperty(name);
});

test('the answer comes back as it is made, redirects and errors too', async () => {
  let finish = () => {};
  answer = (_, response) => {
    response.writeHead(307, { Location: 'http://elsewhere.test/', 'Sluice-Region': 'eu' });
    response.write('first');
    finish = () => response.end('second');
  };
  const passed = await post({});
  expect(passed).toMatchObject({ status: 307, headers: { location: 'http://elsewhere.test/', 'sluice-region': 'eu' } });
  const parts: string[] = [];
  for await (const part of passed.body) {
    parts.push(Buffer.from(part).toString());
    finish();
  }
  expect(parts).toEqual(['first', 'second']);
});

test('a home that does not answer is region-unavailable, with a time to come again', async () => {
  home.close();
  await once(home, 'close');
  await expect(post({})).rejects.toMatchObject({ code: 'region-unavailable', facts: { retryAfterMs: 5000 } });
});

test('a caller that goes away ends it at home too', async () => {
  const gone = new Promise<void>((resolve) => {
    answer = (request) => request.socket.once('close', () => resolve());
  });
  const caller = new AbortController();
  const forwarded = forwarder.forward({ method: 'GET', url, headers: {}, body: undefined }, caller.signal);
  setTimeout(() => caller.abort(), 50);
  await expect(forwarded).rejects.toMatchObject({ code: 'region-unavailable' });
  await gone;
});
