import { type ValidationJson, validationPath, validationToJson } from '../../core/api/validation-json.ts';
import { readValidation } from '../../core/models/push.ts';
import type { ValidationRecord } from '../../core/models/validation-record.ts';
import type { HttpHandler } from '../middleware/http-handler.ts';
import { endpoint } from './endpoint.ts';
import type { HttpHost } from './host.ts';

/** Progress is written a few times a second; a caller that looks every second misses nothing that matters. */
const LOOK_AGAIN = { 'Retry-After': '1' };

export function getValidation(host: HttpHost): HttpHandler {
  return endpoint(host, 'validation-read', async ({ params }) => {
    const body = validationToJson(await readValidation(host, params.model, params.validation));
    const hasEnded = body.state === 'accepted' || body.state === 'refused';
    return { status: 200, body, headers: hasEnded ? {} : LOOK_AGAIN };
  });
}

export function getValidations(host: HttpHost): HttpHandler {
  return endpoint(host, 'validation-list', async ({ params, query }) => {
    const records = await host.validations.list(params.model, query.limit);
    const nowMs = host.clock.nowMs();
    const items = records.filter(({ expiresAtMs }) => expiresAtMs > nowMs).map(validationToJson);
    return { status: 200, body: { items } };
  });
}

/** 202: accepted, and where to ask what became of it. */
export function validating(record: ValidationRecord): {
  readonly status: 202;
  readonly body: ValidationJson;
  readonly headers: Readonly<Record<string, string>>;
} {
  return { status: 202, body: validationToJson(record), headers: { Location: validationPath(record), ...LOOK_AGAIN } };
}
