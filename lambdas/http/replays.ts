import { replayToJson } from '../../core/api/replay-json.ts';
import { Replays } from '../../core/models/replay/replay.ts';
import type { HttpHandler } from '../middleware/http-handler.ts';
import { endpoint } from './endpoint.ts';
import type { ModelHost } from './host.ts';

export function postModelReplay(host: ModelHost): HttpHandler {
  const replays = new Replays(host);
  return endpoint(host, 'model-replay', async ({ exchange, params, body }) => {
    const { from, to, to_model: toModel = params.model, source, limit, tenant } = body;
    const { signal } = exchange.invocation;
    const askedBy = exchange.asker.id;
    const spec = { model: params.model, from, toModel, to, source, limit, tenant, askedBy, signal };
    return { status: 200, body: replayToJson(await replays.run(spec)) };
  });
}
