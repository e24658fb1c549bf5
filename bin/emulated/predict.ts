import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { z } from 'zod';
import type { keyCreatedJson } from '../../core/api/schemas.ts';
import { type Connection, request } from '../client.ts';
import { pushModelFolder } from '../commands/model-push.ts';
import type { Live } from '../live.ts';
import { readModelFolder } from '../model-folder.ts';

const MODEL = 'ticket-sentiment';
const FOLDER = join(import.meta.dirname, '..', '..', 'models', MODEL);
const TENANT = 'acme';

type Tensor = { readonly name: string; readonly data?: readonly unknown[] };
type Golden = { readonly inputs: readonly unknown[]; readonly outputs: readonly Tensor[] };

export type Step = {
  readonly what: string;
  readonly expected: string;
  /** Status, and the label or what else was asked for. */
  readonly found: string;
  /** The whole answer. */
  readonly text: string;
  readonly tookMs: number;
};

export type Tour = { readonly steps: readonly Step[]; readonly curl: string };

/** Pushes a sample model as the operator, waits for its validation and makes it stable. */
export async function pushSample(operator: Connection, live: Live): Promise<void> {
  const outcome = await pushModelFolder(operator, await readModelFolder(FOLDER), live);
  if (outcome.state === 'refused') throw new Error(`${MODEL} was refused: ${JSON.stringify(outcome.problem)}`);
  await request(operator, 'PUT', `/control/v1/models/${MODEL}/stable`, { version: outcome.version.version });
}

/** Asks as a new tenant, awaiting the answer and not, and as nobody: for what the model's golden file says. */
export async function predictAsTenant(operator: Connection): Promise<Tour> {
  const apiKey = await newTenantKey(operator);
  const [line] = (await readFile(join(FOLDER, 'golden.jsonl'), 'utf8')).split('\n');
  const { inputs, outputs } = JSON.parse(line!) as Golden;
  const body = JSON.stringify({ inputs });
  const label = String(labelOf({ outputs }));
  const steps: Step[] = [];
  const ask = async (what: string, expected: string, path: string, init: RequestInit) => {
    const startedMs = performance.now();
    const response = await fetch(`${operator.url}${path}`, init);
    const text = await response.text();
    const answer: unknown = JSON.parse(text);
    const found = `${response.status} ${labelOf(answer) ?? ''}`.trim();
    steps.push({ what, expected, found, text, tookMs: performance.now() - startedMs });
    return response;
  };
  const path = `/v2/models/${MODEL}/infer`;
  const authorization = `Bearer ${apiKey}`;
  const post = (headers: Record<string, string>) => ({
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body,
  });
  await ask(`${TENANT} asks and waits`, `200 ${label}`, path, post({ authorization }));
  const accepted = await ask(`${TENANT} does not wait`, '202', path, post({ authorization, prefer: 'respond-async' }));
  const later = pathBelow(operator.url, accepted.headers.get('location') ?? '');
  await ask('… and fetches the answer', `200 ${label}`, later, { headers: { authorization, prefer: 'wait=10' } });
  await ask('… and reads about the model', '200', `/v2/models/${MODEL}`, { headers: { authorization } });
  await ask('somebody without a key', '401', path, post({}));
  return { steps, curl: curlOf(`${operator.url}${path}`, apiKey, body) };
}

async function newTenantKey(operator: Connection): Promise<string> {
  await request(operator, 'POST', '/control/v1/tenants', { id: TENANT, name: TENANT, plan: 'pro' });
  const made = await request<z.infer<typeof keyCreatedJson>>(operator, 'POST', `/control/v1/tenants/${TENANT}/keys`, {
    role: 'tenant-user',
    label: 'first',
  });
  return made.key;
}

/** A place that the API names begins with its stage, which the emulator's address of the API has already. */
function pathBelow(url: string, location: string): string {
  const [stage] = new URL(url).pathname.split('/').slice(-2);
  return location.startsWith(`/${stage}/`) ? location.slice(`/${stage}`.length) : location;
}

function curlOf(url: string, apiKey: string, body: string): string {
  const headers = [`Authorization: Bearer ${apiKey}`, 'Content-Type: application/json'];
  return ['curl', url, ...headers.map((header) => `-H '${header}'`), `-d '${body.replaceAll("'", "'\\''")}'`].join(' ');
}

function labelOf(answer: unknown): unknown {
  const { outputs = [] } = answer as { readonly outputs?: readonly Tensor[] };
  return outputs.find(({ name }) => name === 'label')?.data?.[0];
}
