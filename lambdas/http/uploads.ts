import type { Exchange } from '../middleware/exchange.ts';
import type { HttpHandler } from '../middleware/http-handler.ts';
import { endpoint } from './endpoint.ts';
import type { HttpHost } from './host.ts';
import { readBytes } from './read-body.ts';

export function postUpload(host: HttpHost): HttpHandler {
  return endpoint(host, 'upload-create', async ({ exchange, body }) => {
    const { id, url, expiresAtMs } = await host.uploads.create(exchange.asker.id, body.max_bytes);
    return { status: 201, body: { id, url, expires_at_ms: Math.floor(expiresAtMs) } };
  });
}

/** Where this host receives uploads itself. The bytes go on as they come. */
export function putUpload(host: HttpHost): HttpHandler {
  return endpoint(host, 'upload-receive', async ({ exchange, params, query }) => {
    const { sizeBytes } = await host.uploads.receive(params.upload, query.token, bytesOf(exchange));
    return { status: 200, body: { size_bytes: sizeBytes } };
  });
}

async function* bytesOf({ event, headers, invocation }: Exchange): AsyncIterable<Uint8Array> {
  if (invocation.bodyStream === undefined) yield readBytes(event, headers);
  else yield* invocation.bodyStream;
}
