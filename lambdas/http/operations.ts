import { poolToJson } from '../../core/api/operations-json.ts';
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
