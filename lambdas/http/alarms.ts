import { alarmToJson, checkToJson } from '../../core/api/alarm-json.ts';
import { listAlarms } from '../../core/operations/list-alarms.ts';
import type { HttpHandler } from '../middleware/http-handler.ts';
import { endpoint } from './endpoint.ts';
import type { HttpHost } from './host.ts';

export function getAlarms(host: HttpHost): HttpHandler {
  return endpoint(host, 'alarm-list', async () => {
    const alarms = await listAlarms(host);
    return { status: 200, body: { items: alarms.map((alarm) => alarmToJson(alarm, host.config.runbookUrl)) } };
  });
}

export function getChecks(host: HttpHost): HttpHandler {
  return endpoint(host, 'check-list', async () => {
    const checks = (await host.watches.latest())?.checks ?? [];
    return { status: 200, body: { items: checks.toReversed().map((check) => checkToJson(check, host.config.region)) } };
  });
}
