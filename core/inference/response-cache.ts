import { createHash } from 'node:crypto';
import type { ModelVersion } from '../models/version.ts';
import type { StoredAnswer } from '../ports/answer-store.ts';
import type { Platform } from '../ports/platform.ts';
import { KIB, SECOND_MS } from '../units.ts';
import type { Caller, InferAnswer, InferCall } from './request.ts';
import { dataBytes, encodeTensors } from './tensor-codec.ts';

/** A larger answer is computed anew: at the memory's 64 MiB, 256 such would push out everything else. */
const MAX_ANSWER_BYTES = 256 * KIB;

/** What a request that the cache takes part in does with it. `key` undefined: nothing is read and nothing is kept. */
type CacheUse = {
  readonly call: InferCall;
  readonly version: ModelVersion;
  readonly key: string | undefined;
  /** False for `no-cache`: computed anew, and kept. */
  readonly reads: boolean;
  readonly keptMs: number;
};

type CachePorts = Pick<Platform, 'answers' | 'clock'>;

/**
 * How a request that was found valid uses the response cache; undefined: not at all, since the version has none or
 * - the request has an Idempotency-Key: its answer must be that of the one job that the key stands for, as long as the key
 *   lives, and an answer out of the cache would leave a repeat nothing to find;
 * - it asks for 202 at once: who asks so polls, or waits for a webhook, or
 * - a fallback answers it, in place of a model that may be well again with the next request.
 * Nothing is worked out for versions without a cache. Callers that miss the same answer at the same time compute it each.
 */
export function cacheUse(call: InferCall, version: ModelVersion, bulk: boolean): CacheUse | undefined {
  const { cache } = version.manifest;
  if (cache === undefined || bulk) return undefined;
  const { caching, idempotencyKey, degraded } = call;
  if (idempotencyKey !== undefined || degraded !== undefined) return undefined;
  return {
    call,
    version,
    key: caching === 'avoid' ? undefined : cacheKey(call.caller, version, call.request),
    reads: caching === 'use',
    keptMs: cache.seconds * SECOND_MS,
  };
}

/** The answer that was kept for the same request of the same tenant, with an id of its own, if there is one. */
export function answerFromCache(
  ports: CachePorts,
  { call, version, key, reads }: CacheUse,
): InferAnswer | undefined | Promise<InferAnswer | undefined> {
  if (key === undefined || !reads) return undefined;
  const nowMs = ports.clock.nowMs();
  const found = ports.answers.read(call.caller.tenant.id, key, nowMs);
  return found instanceof Promise
    ? found.then((answer) => toHit(call, version, answer, nowMs))
    : toHit(call, version, found, nowMs);
}

/** Marks an answer as what the cache had to do with it, and keeps it for the next who asks the same. */
export function keepAnswer(ports: CachePorts, use: CacheUse, answer: InferAnswer): InferAnswer {
  if (answer.kind !== 'answered') return answer;
  const { version, key, keptMs, call } = use;
  const { outputs } = answer.outcome;
  // Another version's answer, or another model's, is not what this key stands for.
  if (key !== undefined && answer.version === version.version && fits(outputs)) {
    const expiresAtMs = ports.clock.nowMs() + keptMs;
    ports.answers.write(call.caller.tenant.id, key, { version: version.version, outputs, expiresAtMs });
  }
  return { ...answer, cache: use.reads ? 'miss' : 'bypass' };
}

/**
 * SHA-256, hex, over all that an answer depends on, framed so that no two requests share bytes: a JSON array, then the
 * encoded inputs in order of name. A tenant that was removed and created again under the same id has keys of its own.
 */
export function cacheKey(
  { tenant }: Pick<Caller, 'tenant'>,
  { model, version }: Pick<ModelVersion, 'model' | 'version'>,
  { inputs, outputs }: Pick<InferCall['request'], 'inputs' | 'outputs'>,
): string {
  const asked = outputs?.map(({ name }) => name) ?? null;
  const sorted = inputs.length === 1 ? inputs : [...inputs].sort((a, b) => (a.name < b.name ? -1 : 1));
  return createHash('sha256')
    .update(JSON.stringify([tenant.id, tenant.createdAtMs, model, version, asked]))
    .update(encodeTensors(sorted))
    .digest('hex');
}

/**
 * As any synchronous answer it has an id of its own, to be named by in logs, which nobody can ask for later: the id of
 * the prediction that was computed is another caller's.
 */
function toHit(
  call: InferCall,
  { model, version }: ModelVersion,
  stored: StoredAnswer | undefined,
  nowMs: number,
): InferAnswer | undefined {
  if (stored?.version !== version) return undefined;
  return {
    kind: 'answered',
    id: `pred_${crypto.randomUUID().replaceAll('-', '')}`,
    model: call.model,
    variant: model === call.model ? undefined : model,
    clientId: call.request.clientId,
    version,
    outcome: {
      kind: 'succeeded',
      version,
      outputs: stored.outputs,
      computeMs: 0,
      queueMs: 0,
      batchRows: 0,
      endedAtMs: nowMs,
    },
    replayed: false,
    cache: 'hit',
  };
}

function fits(outputs: StoredAnswer['outputs']): boolean {
  let bytes = 0;
  for (const { data } of outputs) {
    bytes += dataBytes(data);
    if (bytes > MAX_ANSWER_BYTES) return false;
  }
  return true;
}
