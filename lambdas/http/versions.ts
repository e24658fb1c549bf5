import { modelRouteToJson, pageToJson, versionToJson } from '../../core/api/control-json.ts';
import { Failure } from '../../core/failure.ts';
import { findModels } from '../../core/models/find-models.ts';
import { acceptPush, setStable } from '../../core/models/push.ts';
import { isActive } from '../../core/release/release.ts';
import type { HttpHandler } from '../middleware/http-handler.ts';
import { endpoint } from './endpoint.ts';
import type { HttpHost } from './host.ts';
import { validating } from './validations.ts';

/** The uploads are discarded once their files are stored; after a refusal they can be used again. */
export function postVersion(host: HttpHost): HttpHandler {
  return endpoint(host, 'version-push', async ({ exchange, params, body }) => {
    const owner = exchange.asker.id;
    const {
      model_upload: model,
      golden_upload: golden,
      tokenizer_upload: tokenizer,
      reference_upload: reference,
    } = body;
    const open = async (upload: string | undefined) =>
      upload === undefined ? undefined : await host.uploads.open(owner, upload);
    const accepted = await acceptPush(host, {
      manifest: body.manifest,
      modelBytes: await host.uploads.open(owner, model),
      golden: await open(golden),
      tokenizer: await open(tokenizer),
      reference: await open(reference),
      model: params.model,
      pushedBy: owner,
    });
    for (const upload of [model, golden, tokenizer, reference]) {
      if (upload !== undefined) await host.uploads.discard(owner, upload);
    }
    if (accepted.kind === 'validating') return validating(accepted.record);
    const { version } = accepted;
    const location = `/control/v1/models/${version.model}/versions/${version.version}`;
    return { status: 200, body: versionToJson(version), headers: { Location: location } };
  });
}

export function getVersions(host: HttpHost): HttpHandler {
  return endpoint(host, 'version-list', async ({ params, query }) => {
    if ((await host.registry.readRoute(params.model)) === undefined)
      throw new Failure('model-unknown', { field: 'model' });
    const page = await host.registry.listVersions(params.model, query.limit, query.cursor, query.order);
    return { status: 200, body: pageToJson(page, versionToJson) };
  });
}

export function getVersion(host: HttpHost): HttpHandler {
  return endpoint(host, 'version-read', async ({ params }) => {
    const version = await host.registry.readVersion(params.model, params.version);
    if (version === undefined) throw new Failure('version-unknown', { field: 'version' });
    return { status: 200, body: versionToJson(version) };
  });
}

export function getModelRoutes(host: HttpHost): HttpHandler {
  return endpoint(host, 'model-route-list', async ({ query }) => ({
    status: 200,
    body: pageToJson(await findModels(host, query), modelRouteToJson),
  }));
}

export function getModel(host: HttpHost): HttpHandler {
  return endpoint(host, 'model-read', async ({ params: { model } }) => {
    const route = await host.registry.readRoute(model);
    if (route === undefined) throw new Failure('model-unknown', { field: 'model' });
    const [newest, latest] = await Promise.all([
      host.registry.listVersions(model, 1, undefined, 'newest'),
      host.releases.readLatest(model),
    ]);
    const active = latest !== undefined && isActive(latest) ? latest.id : null;
    const body = { ...modelRouteToJson(route), newest: newest.items[0]?.version ?? null, active_release: active };
    return { status: 200, body };
  });
}

export function putStable(host: HttpHost): HttpHandler {
  return endpoint(host, 'stable-put', async ({ params, body }) => ({
    status: 200,
    body: modelRouteToJson(await setStable(host, params.model, body.version, body.epoch)),
  }));
}
