import { serverMetadata } from '../../core/api/model-metadata.ts';
import { buildOpenApi } from '../../core/api/openapi.ts';
import { PRODUCT_VERSION } from '../../core/version.ts';
import type { HttpHandler } from '../middleware/http-handler.ts';
import { endpoint, rawEndpoint } from './endpoint.ts';
import type { HttpHost } from './host.ts';

export function readServerMetadata(host: HttpHost): HttpHandler {
  return endpoint(host, 'server-metadata', () => ({ status: 200, body: serverMetadata(PRODUCT_VERSION) }));
}

export function readLiveness(host: HttpHost): HttpHandler {
  return endpoint(host, 'server-live', () => ({ status: 200, body: { live: true } }));
}

export function readReadiness(host: HttpHost): HttpHandler {
  return endpoint(host, 'server-ready', async () => {
    const ready = await host.gateway.isReady();
    return { status: ready ? 200 : 503, body: { ready } };
  });
}

/** Built when it is first asked for. */
export function readOpenApi(host: HttpHost): HttpHandler {
  let document: string | undefined;
  return rawEndpoint(host, 'openapi', () => {
    document ??= JSON.stringify(buildOpenApi(PRODUCT_VERSION));
    const headers = { 'Content-Type': 'application/json', 'Cache-Control': 'public, max-age=300' };
    return { status: 200, headers, body: document };
  });
}
