import type { ModelFiles } from './bad-models.ts';
import type { Answer, ApiClient } from './http-client.ts';

/** Sends bytes as an upload and returns its id. */
export async function upload(operator: ApiClient, bytes: Uint8Array): Promise<string> {
  const created = await operator.post('/control/v1/uploads', { max_bytes: Math.max(1, bytes.length) });
  const { id, url } = created.json<{ id: string; url: string }>();
  const received = await operator.send('PUT', url, { body: bytes });
  if (received.status !== 200) throw new Error(`upload: ${received.status} ${received.text}`);
  return id;
}

/** Pushes a model as the command line does: uploads, then the version. */
export async function pushModel(operator: ApiClient, files: ModelFiles): Promise<Answer> {
  const body = {
    manifest: files.manifest,
    model_upload: await upload(operator, files.model),
    ...(files.golden === '' ? {} : { golden_upload: await upload(operator, new TextEncoder().encode(files.golden)) }),
  };
  return operator.post(`/control/v1/models/${files.manifest.name}/versions`, body);
}

/** The same model with other members in its manifest. */
export function withManifest(files: ModelFiles, changes: Partial<ModelFiles['manifest']>): ModelFiles {
  return { ...files, manifest: { ...files.manifest, ...changes } };
}
