import { modelMetadata } from '../../core/api/model-metadata.ts';
import { Failure } from '../../core/failure.ts';
import { choosePool } from '../../core/inference/choose-pool.ts';
import { mayCall } from '../../core/inference/choose-version.ts';
import type { Exchange } from '../middleware/exchange.ts';
import type { HttpHandler } from '../middleware/http-handler.ts';
import { endpoint } from './endpoint.ts';
import type { HttpHost } from './host.ts';

/** Only what plan and credential include: a page may hold fewer than `limit`. Each is ready if it would answer this caller. */
export function listModels(host: HttpHost): HttpHandler {
  return endpoint(host, 'model-list', async ({ exchange, query }) => {
    const page = await host.registry.listModels(query.limit, query.cursor);
    const ready = await host.gateway.isReady();
    const models = page.items.filter(({ model }) => mayCall(exchange.actingFor, model));
    const serving = await Promise.all(models.map(({ model }) => ready && isServed(host, exchange, model)));
    return {
      status: 200,
      body: {
        models: models.map(({ model, stable }, at) => ({
          name: model,
          version: stable ?? null,
          ready: serving[at]!,
        })),
        next: page.next ?? null,
      },
    };
  });
}

export function readModelMetadata(host: HttpHost): HttpHandler {
  return endpoint(host, 'model-metadata', async ({ exchange, params: { model } }) => {
    const version = await host.gateway.resolveVersion(exchange.actingFor, model, undefined);
    const headers = version.model === model ? {} : { 'Sluice-Variant': version.model };
    return { status: 200, body: modelMetadata(model, version), headers };
  });
}

export function readVersionMetadata(host: HttpHost): HttpHandler {
  return endpoint(host, 'version-metadata', async ({ exchange, params }) => ({
    status: 200,
    body: modelMetadata(
      params.model,
      await host.gateway.resolveVersion(exchange.actingFor, params.model, params.version),
    ),
  }));
}

export function readModelReadiness(host: HttpHost): HttpHandler {
  return endpoint(host, 'model-ready', ({ exchange, params }) =>
    readReadiness(host, exchange, params.model, undefined),
  );
}

export function readVersionReadiness(host: HttpHost): HttpHandler {
  return endpoint(host, 'version-ready', ({ exchange, params }) =>
    readReadiness(host, exchange, params.model, params.version),
  );
}

async function readReadiness(host: HttpHost, exchange: Exchange, model: string, version: string | undefined) {
  const ready = (await canServe(host, exchange, model, version)) && (await host.gateway.isReady());
  return { status: ready ? 200 : 503, body: { name: model, ready } };
}

/** One model that cannot be read must not hide the others. */
async function isServed(host: HttpHost, exchange: Exchange, model: string): Promise<boolean> {
  try {
    return await canServe(host, exchange, model, undefined);
  } catch (error) {
    if (error instanceof Failure) return false;
    throw error;
  }
}

async function canServe({ gateway, config }: HttpHost, exchange: Exchange, model: string, version: string | undefined) {
  try {
    const { manifest } = await gateway.resolveVersion(exchange.actingFor, model, version);
    choosePool(config.pools, exchange.actingFor.tenant, manifest);
    return true;
  } catch (error) {
    const isNotReady =
      error instanceof Failure && (error.code === 'version-not-ready' || error.code === 'pool-unavailable');
    if (isNotReady) return false;
    throw error;
  }
}
