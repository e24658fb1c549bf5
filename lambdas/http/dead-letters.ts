import { pageToJson } from '../../core/api/control-json.ts';
import { deadLetterToJson } from '../../core/api/operations-json.ts';
import { discard, redrive } from '../../core/inference/redrive.ts';
import { readTenant } from '../../core/tenancy/manage-tenants.ts';
import type { HttpHandler } from '../middleware/http-handler.ts';
import { endpoint } from './endpoint.ts';
import type { HttpHost } from './host.ts';

export function getDeadLetters(host: HttpHost): HttpHandler {
  return endpoint(host, 'dead-letter-list', async ({ query: { limit, cursor, ...asked } }) => {
    const page = await host.deadLetters.list(asked, limit, host.clock.nowMs(), cursor);
    return { status: 200, body: pageToJson(page, deadLetterToJson) };
  });
}

export function getTenantDeadLetters(host: HttpHost): HttpHandler {
  return endpoint(host, 'tenant-dead-letter-list', async ({ params, query: { limit, cursor, pool } }) => {
    const { id: tenant } = await readTenant(host, params.tenant);
    const page = await host.deadLetters.list({ tenant, pool }, limit, host.clock.nowMs(), cursor);
    return { status: 200, body: pageToJson(page, deadLetterToJson) };
  });
}

export function postRedrive(host: HttpHost): HttpHandler {
  return endpoint(host, 'dead-letter-redrive', async ({ params }) => {
    const { letter, prediction } = await redrive(host, params.tenant, params.letter);
    const body = { prediction, redrive_of: letter.prediction };
    return { status: 202, body, headers: { Location: `/v2/predictions/${prediction}` } };
  });
}

export function deleteDeadLetter(host: HttpHost): HttpHandler {
  return endpoint(host, 'dead-letter-discard', async ({ params }) => {
    await discard(host, params.tenant, params.letter);
    return { status: 204, body: undefined };
  });
}
