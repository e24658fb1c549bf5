import { qualityToJson, tenantQualityToJson } from '../../core/api/quality-json.ts';
import { Failure } from '../../core/failure.ts';
import { mayCall } from '../../core/inference/choose-version.ts';
import type { ReferenceChoice } from '../../core/quality/drift/find-reference.ts';
import { checkNow, putReference, readQuality } from '../../core/quality/drift/read-quality.ts';
import type { HttpHandler } from '../middleware/http-handler.ts';
import { endpoint } from './endpoint.ts';
import type { HttpHost } from './host.ts';

export function getQuality(host: HttpHost): HttpHandler {
  return endpoint(host, 'quality-read', async ({ params, query }) => ({
    status: 200,
    body: qualityToJson(await readQuality(host, params.model, query.version, host.clock.nowMs())),
  }));
}

export function postQualityCheck(host: HttpHost): HttpHandler {
  return endpoint(host, 'quality-check', async ({ params, query }) => ({
    status: 200,
    body: qualityToJson(await checkNow(host, params.model, query.version, host.clock.nowMs())),
  }));
}

export function putQualityReference(host: HttpHost): HttpHandler {
  return endpoint(host, 'quality-reference-put', async ({ params, query, body: { kind, from, until } }) => {
    const choice: ReferenceChoice =
      kind === 'window' ? { kind, fromMs: Date.parse(from!), untilMs: Date.parse(until!) } : { kind };
    const quality = await putReference(host, params.model, query.version, choice, host.clock.nowMs());
    return { status: 200, body: qualityToJson(quality) };
  });
}

/** Of the version that the tenant pins, or the stable one. */
export function getTenantQuality(host: HttpHost): HttpHandler {
  return endpoint(host, 'tenant-quality-read', async ({ exchange, params: { tenant, model } }) => {
    const caller = await host.gateway.identify(exchange.asker, tenant);
    if (!mayCall(caller, model)) throw new Failure('model-unknown', { field: 'model' });
    const { pins = {} } = caller.tenant;
    const version = Object.hasOwn(pins, model) ? pins[model] : undefined;
    return { status: 200, body: tenantQualityToJson(await readQuality(host, model, version, host.clock.nowMs())) };
  });
}
