import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { createServer as createTcpServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { getCACertificates, setDefaultCACertificates, type TLSSocket } from 'node:tls';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createWebhookSender } from '../../adapters/webhooks/sender.ts';
import { CERTIFICATE, PRIVATE_KEY } from '../support/hooks-test-certificate.ts';
import { WebhookReceiver } from '../support/webhook-receiver.ts';

const TIMED_OUT = { kind: 'failed', reason: 'timed-out' };
const UNREACHABLE = { kind: 'failed', reason: 'unreachable' };
/** Instead of ten seconds. */
const SHORT_MS = 500;

let receiver: WebhookReceiver;
const servers: Server[] = [];
const sockets = new Set<Socket>();

beforeEach(async () => {
  receiver = await WebhookReceiver.start();
});

afterEach(async () => {
  await receiver.stop();
  for (const socket of sockets) socket.destroy();
  sockets.clear();
  for (const server of servers.splice(0)) server.close();
});

/** Of a server on this machine that lasts as long as the test. */
async function portOf(server: Server): Promise<number> {
  servers.push(server);
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as { port: number }).port;
}

/** A server that says what it is told, as soon as somebody connects. */
function saying(talk: (socket: Socket) => void): Promise<number> {
  return portOf(createTcpServer(talk));
}

const anywhere = createWebhookSender({ reach: 'anywhere' });
const short = createWebhookSender({ reach: 'anywhere', totalMs: SHORT_MS });

describe('a post', () => {
  it('brings the body and the headers as they are, and the status back', async () => {
    const body = JSON.stringify({ text: 'grüße', n: 1 });
    for (const status of [200, 204, 302, 410, 500]) {
      receiver.answer = status;
      expect(await anywhere.post(receiver.url, { 'webhook-id': 'msg_1' }, body)).toEqual({ kind: 'answered', status });
    }
    expect(receiver.received).toHaveLength(5);
    for (const received of receiver.received) {
      expect(received).toMatchObject({ path: '/hook', body });
      expect(received.headers).toMatchObject({
        host: `127.0.0.1:${receiver.port}`,
        'webhook-id': 'msg_1',
        'content-type': 'application/json',
        'content-length': String(Buffer.byteLength(body)),
        connection: 'close',
      });
    }
  });

  it('follows no redirect', async () => {
    const port = await portOf(
      createHttpServer((_, response) => response.writeHead(307, { location: receiver.url }).end()),
    );
    expect(await anywhere.post(`http://127.0.0.1:${port}/`, {}, '{}')).toEqual({ kind: 'answered', status: 307 });
    expect(receiver.received).toEqual([]);
  });

  it('does not read the answer: one without end is hung up on', async () => {
    let sent = 0;
    const port = await saying((socket) => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n');
      const more = () => {
        sent += 1;
        if (!socket.destroyed) socket.write('x'.repeat(16_384), () => setImmediate(more));
      };
      more();
    });
    expect(await anywhere.post(`http://127.0.0.1:${port}/`, {}, '{}')).toEqual({ kind: 'answered', status: 200 });
    const [socket] = sockets;
    await vi.waitFor(() => expect(socket!.closed).toBe(true), { timeout: 2000 });
    expect(sent).toBeGreaterThan(0);
  });

  it.each([
    ['is never begun', () => {}],
    ['comes a byte at a time', (socket: Socket) => dribble(socket, 'HTTP/1.1 200 OK\r\nX-Slow: very')],
  ])('ends when its time is over, though the answer %s', async (_, talk) => {
    const port = await saying(talk);
    expect(await short.post(`http://127.0.0.1:${port}/`, {}, '{}')).toEqual(TIMED_OUT);
  });

  it('ends when its time is over, though the name is never resolved', async () => {
    const never = createWebhookSender({
      reach: 'anywhere',
      totalMs: SHORT_MS,
      resolveName: () => new Promise(() => {}),
    });
    expect(await never.post('http://hooks.test/', {}, '{}')).toEqual(TIMED_OUT);
  });

  it.each([
    ['is no HTTP', 'SSH-2.0-OpenSSH_9.2\r\n'],
    ['has a head of 64 KiB', `HTTP/1.1 200 OK\r\nX-Large: ${'x'.repeat(65_536)}\r\n\r\n`],
    ['ends early', 'HTTP/1.1 200'],
  ])('whose answer %s has failed', async (_, text) => {
    const port = await saying((socket) => socket.end(text));
    expect(await anywhere.post(`http://127.0.0.1:${port}/`, {}, '{}')).toEqual(UNREACHABLE);
  });

  it('to nobody has failed, and one that is broken off too', async () => {
    const port = await portOf(createTcpServer());
    await new Promise((closed) => servers.pop()!.close(closed));
    expect(await anywhere.post(`http://127.0.0.1:${port}/`, {}, '{}')).toEqual(UNREACHABLE);
    receiver.answer = 'hang';
    const over = new AbortController();
    const post = anywhere.post(receiver.url, {}, '{}', over.signal);
    setTimeout(() => over.abort(), 50);
    expect(await post).toEqual(UNREACHABLE);
    expect(await anywhere.post(receiver.url, {}, '{}', AbortSignal.abort())).toEqual(UNREACHABLE);
  });
});

describe('a name', () => {
  it('is posted to under its own name, at the address that was found for it', async () => {
    const sender = createWebhookSender({ reach: 'anywhere', resolveName: async () => ['127.0.0.1'] });
    expect(await sender.post(`http://hooks.test:${receiver.port}/hook`, {}, '{}')).toMatchObject({ status: 204 });
    expect(receiver.received[0]?.headers.host).toBe(`hooks.test:${receiver.port}`);
  });

  it('is tried at each of its addresses', async () => {
    const sender = createWebhookSender({ reach: 'anywhere', resolveName: async () => ['127.0.0.2', '127.0.0.1'] });
    expect(await sender.post(`http://hooks.test:${receiver.port}/hook`, {}, '{}')).toMatchObject({ status: 204 });
  });

  it('is looked up once an attempt: what it stands for a moment later is not connected to', async () => {
    let lookups = 0;
    const rebinding = async () => {
      lookups += 1;
      return lookups === 1 ? ['127.0.0.2'] : ['127.0.0.1'];
    };
    const sender = createWebhookSender({ reach: 'anywhere', resolveName: rebinding });
    expect(await sender.post(`http://hooks.test:${receiver.port}/hook`, {}, '{}')).toEqual(UNREACHABLE);
    expect(lookups).toBe(1);
    expect(receiver.received).toEqual([]);
  });

  it('that was public when it was added is refused when it stands for a private address', async () => {
    const answers = [['8.8.8.8'], ['127.0.0.1']];
    const sender = createWebhookSender({ reach: 'public', resolveName: async () => answers.shift()! });
    const url = 'https://hooks.example.com/';
    await sender.check(url);
    expect(await sender.post(url, {}, '{}')).toEqual({ kind: 'failed', reason: 'refused-address' });
  });
});

describe('TLS', () => {
  const usual = getCACertificates();
  const received: { readonly name: string | false; readonly body: string }[] = [];

  afterEach(() => {
    setDefaultCACertificates(usual);
    received.length = 0;
  });

  async function start(): Promise<number> {
    const server = createHttpsServer({ cert: CERTIFICATE, key: PRIVATE_KEY }, async (request, response) => {
      let body = '';
      for await (const chunk of request) body += String(chunk);
      received.push({ name: (request.socket as TLSSocket & { servername: string | false }).servername, body });
      response.writeHead(204).end();
    });
    return portOf(server);
  }

  const sender = createWebhookSender({ reach: 'anywhere', resolveName: async () => ['127.0.0.1'] });

  it('asks for the name of the URL, and is believed by a certificate that is trusted and of that name', async () => {
    const port = await start();
    setDefaultCACertificates([...usual, CERTIFICATE]);
    expect(await sender.post(`https://hooks.test:${port}/`, {}, '{}')).toEqual({ kind: 'answered', status: 204 });
    expect(received).toEqual([{ name: 'hooks.test', body: '{}' }]);
    expect(await sender.post(`https://other.test:${port}/`, {}, '{}')).toEqual(UNREACHABLE);
    expect(received).toHaveLength(1);
  });

  it('sends nothing to who shows a certificate that nobody has signed', async () => {
    const port = await start();
    expect(await sender.post(`https://hooks.test:${port}/`, {}, '{}')).toEqual(UNREACHABLE);
    expect(received).toEqual([]);
  });
});

describe('the environment', () => {
  it('makes no difference: no proxy is asked, though it names some', async () => {
    let proxied = 0;
    const proxy = await portOf(
      createHttpServer((_, response) => {
        proxied += 1;
        response.writeHead(200).end();
      }),
    );
    const sender = join(import.meta.dirname, '..', '..', 'adapters', 'webhooks', 'sender.ts');
    const script = `
      import { get } from 'node:http';
      import { createWebhookSender } from ${JSON.stringify(sender)};
      const answer = await createWebhookSender({ reach: 'anywhere' }).post(${JSON.stringify(receiver.url)}, {}, '{}');
      const usual = await new Promise((answered) => get(${JSON.stringify(receiver.url)}, answered));
      console.log(JSON.stringify([answer, usual.statusCode]));
      usual.destroy();`;
    const url = `http://127.0.0.1:${proxy}`;
    const env = { PATH: process.env.PATH, NODE_USE_ENV_PROXY: '1', HTTP_PROXY: url, http_proxy: url, HTTPS_PROXY: url };
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script], { env });
    // Node itself goes by the proxy: the environment is one that would have mattered.
    expect(JSON.parse(stdout)).toEqual([{ kind: 'answered', status: 204 }, 200]);
    expect(proxied).toBe(1);
    expect(receiver.received).toHaveLength(1);
  });
});

/** A byte every 50 ms, without end. */
function dribble(socket: Socket, text: string): void {
  let at = 0;
  const timer = setInterval(() => {
    socket.write(text[at] ?? 'y');
    at += 1;
  }, 50);
  socket.once('close', () => clearInterval(timer));
}
