import { setTimeout as delay } from 'node:timers/promises';
import type { ValidationJson } from '../../core/api/validation-json.ts';
import type { ModelFiles } from './bad-models.ts';
import type { Answer, ApiClient } from './http-client.ts';

const LOOK_EVERY_MS = 20;

/** Sends bytes as an upload and returns its id. */
export async function upload(operator: ApiClient, bytes: Uint8Array): Promise<string> {
  const created = await operator.post('/control/v1/uploads', { max_bytes: Math.max(1, bytes.length) });
  const { id, url } = created.json<{ id: string; url: string }>();
  const received = await operator.send('PUT', url, { body: bytes });
  if (received.status !== 200) throw new Error(`upload: ${received.status} ${received.text}`);
  return id;
}

/** Uploads a model's files and asks for a version: answers 202 with a validation, 200 if the same was pushed before. */
export async function startPush(operator: ApiClient, files: ModelFiles): Promise<Answer> {
  const { model, golden, tokenizer, reference, manifest } = files;
  const body = {
    manifest,
    model_upload: await upload(operator, model),
    ...(golden === '' ? {} : { golden_upload: await upload(operator, new TextEncoder().encode(golden)) }),
    ...(tokenizer === undefined ? {} : { tokenizer_upload: await upload(operator, tokenizer) }),
    ...(reference === undefined
      ? {}
      : { reference_upload: await upload(operator, new TextEncoder().encode(reference)) }),
  };
  return operator.post(`/control/v1/models/${manifest.name}/versions`, body);
}

/** How a validation ended; `onLook` is shown it on the way. */
export async function followValidation(
  operator: ApiClient,
  location: string,
  onLook: (validation: ValidationJson) => void = () => {},
): Promise<ValidationJson> {
  for (;;) {
    const validation = (await operator.get(location)).json<ValidationJson>();
    onLook(validation);
    if (validation.state === 'accepted' || validation.state === 'refused') return validation;
    await delay(LOOK_EVERY_MS);
  }
}

/** Pushes and waits for the validation, which is a real one and takes seconds. Throws if nothing was to be validated. */
export async function pushAndFollow(operator: ApiClient, files: ModelFiles): Promise<ValidationJson> {
  const answer = await startPush(operator, files);
  if (answer.status !== 202) throw new Error(`push: ${answer.status} ${answer.text}`);
  return followValidation(operator, answer.header('location')!);
}

/** Pushes a model as the command line does, and answers with its version; throws if it was refused. */
export async function pushModel(operator: ApiClient, files: ModelFiles): Promise<Answer> {
  const answer = await startPush(operator, files);
  if (answer.status !== 202) return answer;
  const { model, version, problem } = await followValidation(operator, answer.header('location')!);
  if (version === null) throw new Error(`${model} was refused: ${JSON.stringify(problem)}`);
  return operator.get(`/control/v1/models/${model}/versions/${version}`);
}

/** The same model with other members in its manifest. */
export function withManifest(files: ModelFiles, changes: Partial<ModelFiles['manifest']>): ModelFiles {
  return { ...files, manifest: { ...files.manifest, ...changes } };
}
