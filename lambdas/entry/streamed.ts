import { Readable, type Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { APIGatewayProxyEvent, StreamifyHandler } from 'aws-lambda';
import type { HttpAnswer } from '../middleware/http-handler.ts';
import type { LambdaHost } from './host.ts';
import type { Serve } from './serve.ts';

/**
 * A function whose answers are streamed, whatever their size. One that fails half way is cut, so that nobody takes the half for
 * the whole; what it left to be written is written all the same.
 */
export function streamed(
  host: Pick<LambdaHost, 'refresh' | 'settled' | 'log'>,
  serve: Serve,
): StreamifyHandler<APIGatewayProxyEvent, void> {
  return awslambda.streamifyResponse<APIGatewayProxyEvent>(async (event, stream) => {
    const refreshed = host.refresh();
    const { status, headers, body } = await serve(event);
    try {
      await write(awslambda.HttpResponseStream.from(stream, { statusCode: status, headers }), body);
    } catch (error) {
      host.log.warn('answer cut', { request_id: event.requestContext.requestId });
      throw error;
    } finally {
      await refreshed;
      await host.settled();
    }
  });
}

function write(stream: Writable, body: HttpAnswer['body']): Promise<void> {
  if (typeof body !== 'string' && !(body instanceof Uint8Array)) {
    return pipeline(Readable.from(body, { objectMode: false }), stream);
  }
  return new Promise((resolve, reject) => {
    stream.once('error', reject);
    // Status and headers leave with the first write: an empty answer needs one too.
    stream.write(body);
    stream.end(resolve);
  });
}
