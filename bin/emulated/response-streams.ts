import { PassThrough } from 'node:stream';
import { buffer } from 'node:stream/consumers';

/*
 * Preloaded into functions where whoever runs them has no response streams: the global that Lambda's Node has, by which a
 * streamed answer becomes a whole one, as a buffered function returns it.
 */

type Head = { readonly statusCode: number; readonly headers?: Readonly<Record<string, string>> };
type Streamed = (event: unknown, stream: PassThrough, context: unknown) => Promise<void>;

const heads = new WeakMap<PassThrough, Head>();

Object.assign(globalThis, {
  awslambda: {
    streamifyResponse: (handler: Streamed) => async (event: unknown, context: unknown) => {
      const stream = new PassThrough();
      const [body] = await Promise.all([buffer(stream), handler(event, stream, context)]);
      return { ...heads.get(stream), body: body.toString('base64'), isBase64Encoded: true };
    },
    HttpResponseStream: {
      from(stream: PassThrough, head: Head): PassThrough {
        heads.set(stream, head);
        return stream;
      },
    },
  },
});
