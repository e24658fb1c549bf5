import { issuerFromJson, issuerToJson } from '../../core/api/control-json.ts';
import { putIssuer } from '../../core/tenancy/manage-issuers.ts';
import type { HttpHandler } from '../middleware/http-handler.ts';
import { endpoint } from './endpoint.ts';
import type { HttpHost } from './host.ts';

export function getIssuers(host: HttpHost): HttpHandler {
  return endpoint(host, 'issuer-list', async () => ({
    status: 200,
    body: { items: (await host.registry.listIssuers()).map(issuerToJson) },
  }));
}

export function replaceIssuer(host: HttpHost): HttpHandler {
  return endpoint(host, 'issuer-put', async ({ body }) => ({
    status: 200,
    body: issuerToJson(await putIssuer(host, issuerFromJson(body))),
  }));
}

/** Its tokens are refused on every host within two seconds: issuers and verified tokens are each remembered for one. */
export function deleteIssuer(host: HttpHost): HttpHandler {
  return endpoint(host, 'issuer-remove', async ({ query }) => {
    await host.registry.removeIssuer(query.issuer);
    return { status: 204, body: undefined };
  });
}
