import { pageToJson, tenantToJson } from '../../core/api/control-json.ts';
import { camelKeys, snakeKeys } from '../../core/api/snake-case.ts';
import { setCaptureConsent } from '../../core/tenancy/capture-consent.ts';
import { eraseTenantData, removeTenant } from '../../core/tenancy/erase-tenant.ts';
import { changeTenant, createTenant, pinVersion, readTenant } from '../../core/tenancy/manage-tenants.ts';
import { readUsage } from '../../core/tenancy/read-usage.ts';
import type { HttpHandler } from '../middleware/http-handler.ts';
import { endpoint } from './endpoint.ts';
import type { HttpHost } from './host.ts';

export function postTenant(host: HttpHost): HttpHandler {
  return endpoint(host, 'tenant-create', async ({ body }) => {
    const tenant = await createTenant(host, {
      id: body.id,
      name: body.name,
      region: body.region,
      plan: body.plan,
      overrides: camelKeys(body.overrides ?? {}),
      wrongRegion: body.wrong_region ?? 'refuse',
      allowedOrigins: body.allowed_origins ?? [],
      pool: body.pool,
    });
    return { status: 201, body: tenantToJson(tenant), headers: { Location: `/control/v1/tenants/${tenant.id}` } };
  });
}

export function getTenants(host: HttpHost): HttpHandler {
  return endpoint(host, 'tenant-list', async ({ query }) => ({
    status: 200,
    body: pageToJson(await host.registry.listTenants(query.limit, query.cursor), tenantToJson),
  }));
}

export function getTenant(host: HttpHost): HttpHandler {
  return endpoint(host, 'tenant-read', async ({ params }) => ({
    status: 200,
    body: tenantToJson(await readTenant(host, params.tenant)),
  }));
}

export function patchTenant(host: HttpHost): HttpHandler {
  return endpoint(host, 'tenant-patch', async ({ params, body }) => {
    const tenant = await changeTenant(host, params.tenant, {
      ...camelKeys(body),
      overrides: body.overrides === undefined ? undefined : camelKeys(body.overrides),
    });
    return { status: 200, body: tenantToJson(tenant) };
  });
}

export function deleteTenant(host: HttpHost): HttpHandler {
  return endpoint(host, 'tenant-remove', async ({ params }) => {
    await removeTenant(host, params.tenant);
    return { status: 204, body: undefined };
  });
}

export function deleteTenantData(host: HttpHost): HttpHandler {
  return endpoint(host, 'tenant-erase', async ({ params }) => {
    await eraseTenantData(host, params.tenant);
    return { status: 204, body: undefined };
  });
}

export function putCaptureConsent(host: HttpHost): HttpHandler {
  return endpoint(host, 'capture-consent-put', async ({ exchange, params, body }) => ({
    status: 200,
    body: tenantToJson(await setCaptureConsent(host, exchange.asker, params.tenant, body.consent)),
  }));
}

export function putPin(host: HttpHost): HttpHandler {
  return endpoint(host, 'pin-put', async ({ params, body }) => ({
    status: 200,
    body: tenantToJson(await pinVersion(host, params.tenant, params.model, body.version)),
  }));
}

export function deletePin(host: HttpHost): HttpHandler {
  return endpoint(host, 'pin-remove', async ({ params }) => ({
    status: 200,
    body: tenantToJson(await pinVersion(host, params.tenant, params.model, undefined)),
  }));
}

export function getUsage(host: HttpHost): HttpHandler {
  return endpoint(host, 'tenant-usage', async ({ params }) => {
    const usage = await readUsage(host, params.tenant);
    return { status: 200, body: { ...snakeKeys(usage), month: snakeKeys(usage.month) } };
  });
}
