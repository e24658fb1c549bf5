import { keyToJson } from '../../core/api/control-json.ts';
import { issueBrowserToken } from '../../core/tenancy/browser-token.ts';
import { createKey, listKeys, revokeKey } from '../../core/tenancy/manage-keys.ts';
import type { HttpHandler } from '../middleware/http-handler.ts';
import { endpoint } from './endpoint.ts';
import type { HttpHost } from './host.ts';

export function postKey(host: HttpHost): HttpHandler {
  return endpoint(host, 'key-create', async ({ exchange, params, body }) => {
    const { record, text } = await createKey(host, exchange.asker, {
      tenant: params.tenant,
      role: body.role,
      models: body.models,
      label: body.label,
      expiresAtMs: body.expires_at_ms,
    });
    return { status: 201, body: { ...keyToJson(record), key: text } };
  });
}

export function getKeys(host: HttpHost): HttpHandler {
  return endpoint(host, 'key-list', async ({ params }) => ({
    status: 200,
    body: { items: (await listKeys(host, params.tenant)).map(keyToJson) },
  }));
}

export function deleteKey(host: HttpHost): HttpHandler {
  return endpoint(host, 'key-revoke', async ({ params }) => {
    await revokeKey(host, params.tenant, params.key);
    return { status: 204, body: undefined };
  });
}

export function postOperatorKey(host: HttpHost): HttpHandler {
  return endpoint(host, 'operator-key-create', async ({ exchange, body }) => {
    const { record, text } = await createKey(host, exchange.asker, {
      tenant: undefined,
      role: body.role,
      models: undefined,
      label: body.label,
      expiresAtMs: body.expires_at_ms,
    });
    return { status: 201, body: { ...keyToJson(record), key: text } };
  });
}

export function getOperatorKeys(host: HttpHost): HttpHandler {
  return endpoint(host, 'operator-key-list', async () => ({
    status: 200,
    body: { items: (await listKeys(host, undefined)).map(keyToJson) },
  }));
}

export function deleteOperatorKey(host: HttpHost): HttpHandler {
  return endpoint(host, 'operator-key-revoke', async ({ params }) => {
    await revokeKey(host, undefined, params.key);
    return { status: 204, body: undefined };
  });
}

export function postBrowserToken(host: HttpHost): HttpHandler {
  return endpoint(host, 'browser-token-create', async ({ exchange, params, body }) => {
    const spec = { tenant: params.tenant, user: body.user, models: body.models };
    const { token, expiresAtMs } = await issueBrowserToken(host, exchange.asker, spec);
    return { status: 201, body: { token, expires_at_ms: expiresAtMs } };
  });
}
