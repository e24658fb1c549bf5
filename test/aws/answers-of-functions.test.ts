import { Writable } from 'node:stream';
import type { APIGatewayProxyEvent, Context } from 'aws-lambda';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { buffered } from '../../lambdas/entry/buffered.ts';
import { streamed } from '../../lambdas/entry/streamed.ts';
import type { HttpAnswer } from '../../lambdas/middleware/http-handler.ts';
import { NO_LOG } from '../support/aws/aws-jobs.ts';

const EVENT = { requestContext: { requestId: 'req-1' } } as APIGatewayProxyEvent;
const HEAD = { status: 200, headers: { 'Content-Type': 'text/plain' } };

/** As Lambda's: the head is sent before the first byte that is written, and not without one. */
class ResponseStream extends Writable {
  readonly written: string[] = [];
  head: object | undefined;
  failsAfter = Number.POSITIVE_INFINITY;

  static from(stream: ResponseStream, metadata: object): ResponseStream {
    stream.head = metadata;
    return stream;
  }

  override _write(chunk: Buffer, _: string, done: (error?: Error) => void): void {
    const isGone = this.written.length >= this.failsAfter;
    if (!isGone) this.written.push(chunk.toString());
    done(isGone ? new Error('the caller is gone') : undefined);
  }
}

beforeAll(() => {
  Object.assign(globalThis, {
    awslambda: { streamifyResponse: (handler: unknown) => handler, HttpResponseStream: ResponseStream },
  });
});
afterAll(() => {
  Reflect.deleteProperty(globalThis, 'awslambda');
});

let steps: string[];
const host = {
  log: { ...NO_LOG, warn: (message: string) => void steps.push(message) },
  refresh: async () => void steps.push('refreshed'),
  settled: async () => void steps.push('settled'),
};
beforeEach(() => {
  steps = [];
});

function stream(answer: HttpAnswer, to = new ResponseStream()) {
  const handler = streamed(host, async () => answer);
  const done = handler(EVENT, to as never, {} as Context) as Promise<void>;
  return { to, done };
}

async function* pieces(count: number, error?: Error): AsyncGenerator<Uint8Array> {
  for (let piece = 0; piece < count; piece += 1) yield Buffer.from(`piece ${piece} `);
  if (error !== undefined) throw error;
}

test('a streamed answer has its head and all of its body, whole or in pieces, and is settled after it', async () => {
  const whole = stream({ ...HEAD, body: 'text' });
  await whole.done;
  expect([whole.to.head, whole.to.written]).toEqual([{ statusCode: 200, headers: HEAD.headers }, ['text']]);
  const many = stream({ ...HEAD, body: pieces(3) });
  await many.done;
  expect(many.to.written.join('')).toBe('piece 0 piece 1 piece 2 ');
  expect(many.to.writableFinished).toBe(true);
  expect(steps.slice(-1)).toEqual(['settled']);
});

test('a streamed answer without a body is written all the same, so that its head leaves', async () => {
  const { to, done } = stream({ status: 204, headers: {}, body: '' });
  await done;
  expect(to.written).toEqual(['']);
});

test('a body that fails half way, and a caller that is gone, cut the answer; what is left to be written is written', async () => {
  const failing = stream({ ...HEAD, body: pieces(2, new Error('lost')) });
  await expect(failing.done).rejects.toThrow('lost');
  expect(failing.to.writableFinished).toBe(false);
  expect(steps).toEqual(['refreshed', 'answer cut', 'settled']);
  steps = [];
  const to = new ResponseStream();
  to.failsAfter = 1;
  await expect(stream({ ...HEAD, body: pieces(3) }, to).done).rejects.toThrow('the caller is gone');
  expect(steps).toEqual(['refreshed', 'answer cut', 'settled']);
});

test('a buffered answer is text as it is and anything else in base64, and is returned once all is settled', async () => {
  const ask = async (body: HttpAnswer['body']) => buffered(host, async () => ({ ...HEAD, body }))(EVENT);
  expect(await ask('text')).toMatchObject({ statusCode: 200, body: 'text', isBase64Encoded: false });
  expect(steps.slice(-1)).toEqual(['settled']);
  const bytes = Uint8Array.of(0, 255, 128);
  expect(await ask(bytes)).toMatchObject({ body: 'AP+A', isBase64Encoded: true });
  expect(await ask(pieces(1))).toMatchObject({ body: Buffer.from('piece 0 ').toString('base64') });
});
