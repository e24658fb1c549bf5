import { logLevelToJson, poolToJson } from '../../core/api/operations-json.ts';
import { readLogLevel, setLogLevel } from '../../core/operations/log-level.ts';
import { readPools } from '../../core/operations/read-pools.ts';
import type { HttpHandler } from '../middleware/http-handler.ts';
import { endpoint } from './endpoint.ts';
import type { HttpHost } from './host.ts';

export function getPools(host: HttpHost): HttpHandler {
  return endpoint(host, 'pool-list', async () => {
    const pools = await readPools(host);
    const nowMs = host.clock.nowMs();
    return { status: 200, body: { items: pools.map((pool) => poolToJson(pool, nowMs)) } };
  });
}

export function getLogLevel(host: HttpHost): HttpHandler {
  return endpoint(host, 'log-level-read', async () => ({
    status: 200,
    body: logLevelToJson(await readLogLevel(host)),
  }));
}

export function putLogLevel(host: HttpHost): HttpHandler {
  return endpoint(host, 'log-level-put', async ({ exchange, body: { level, minutes } }) => {
    exchange.reason = `${level} for ${minutes} minutes`;
    return { status: 200, body: logLevelToJson(await setLogLevel(host, exchange.asker.id, level, minutes)) };
  });
}
