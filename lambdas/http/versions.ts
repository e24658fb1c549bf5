import { modelRouteToJson, pageToJson, versionToJson } from '../../core/api/control-json.ts';
import { Failure } from '../../core/failure.ts';
import { pushVersion, setStable } from '../../core/models/push.ts';
import type { HttpHandler } from '../middleware/http-handler.ts';
import { endpoint } from './endpoint.ts';
import type { HttpHost } from './host.ts';

/** The uploads are discarded once the version is there; after a failure they can be used again. */
export function postVersion(host: HttpHost): HttpHandler {
  return endpoint(host, 'version-push', async ({ exchange, params, body }) => {
    const owner = exchange.asker.id;
    if (body.manifest.name !== params.model) {
      throw new Failure('manifest-invalid', {
        field: 'manifest.name',
        problems: ['name: is not the model in the path'],
      });
    }
    const { model_upload: modelUpload, golden_upload: goldenUpload } = body;
    const { version, added } = await pushVersion(host, {
      manifest: body.manifest,
      modelBytes: await host.uploads.open(owner, modelUpload),
      golden: goldenUpload === undefined ? undefined : await host.uploads.open(owner, goldenUpload),
      pushedBy: owner,
    });
    await host.uploads.discard(owner, modelUpload);
    if (goldenUpload !== undefined) await host.uploads.discard(owner, goldenUpload);
    const location = `/control/v1/models/${version.model}/versions/${version.version}`;
    return { status: added ? 201 : 200, body: versionToJson(version), headers: { Location: location } };
  });
}

export function getVersions(host: HttpHost): HttpHandler {
  return endpoint(host, 'version-list', async ({ params, query }) => {
    if ((await host.registry.readRoute(params.model)) === undefined)
      throw new Failure('model-unknown', { field: 'model' });
    const page = await host.registry.listVersions(params.model, query.limit, query.cursor);
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
    body: pageToJson(await host.registry.listModels(query.limit, query.cursor), modelRouteToJson),
  }));
}

export function putStable(host: HttpHost): HttpHandler {
  return endpoint(host, 'stable-put', async ({ params, body }) => ({
    status: 200,
    body: modelRouteToJson(await setStable(host, params.model, body.version, body.epoch)),
  }));
}
