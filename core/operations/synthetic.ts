import { hasWorkers } from '../inference/admit.ts';
import type { Log } from '../ports/log.ts';
import type { Platform } from '../ports/platform.ts';
import { SECOND_MS } from '../units.ts';
import type { CheckResult } from './watch-record.ts';

/** What a check asks, as any caller would: below the region's address. */
export type CheckRequest = {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
};
export type CheckAnswer = { readonly status: number; readonly text: string };

/** Sends it over HTTP, and rejects where no answer comes. */
export type Ask = (request: CheckRequest, signal: AbortSignal) => Promise<CheckAnswer>;

/** A model that is asked for a prediction, and the inputs that it is asked with, as a body of its `infer`. */
export type CheckedModel = { readonly model: string; readonly body: object };

type CheckParts = {
  readonly ask: Ask;
  /** Of the canary tenant. */
  readonly apiKey: string;
  /** Undefined: no prediction is asked for. */
  readonly checked: CheckedModel | undefined;
  readonly log: Log;
  readonly nowMs: () => number;
};

/** Longer than any answer takes on a sound region, and so short that all checks end within their minute. */
const PATIENCE_MS = 10 * SECOND_MS;

/** The sample that a region of one machine is started with. */
export const SAMPLE_CHECK: CheckedModel = {
  model: 'ticket-sentiment',
  body: { inputs: [{ name: 'text', shape: [1], datatype: 'BYTES', data: ['Is everything all right here?'] }] },
};

/**
 * Asks a region as a caller does: whether it is there; who it takes the caller for and what that may call; and for a prediction. Three
 * results, or two where no prediction is asked for. Never rejects.
 */
export async function runChecks(parts: CheckParts): Promise<readonly CheckResult[]> {
  const headers = { Authorization: `Bearer ${parts.apiKey}` };
  const live = await check(parts, 'live', { method: 'GET', path: '/v2/health/live', headers: {} }, isLive);
  const models = await check(parts, 'models', { method: 'GET', path: '/v2/models', headers }, hasModels);
  if (parts.checked === undefined) return [live, models];
  const { model, body } = parts.checked;
  const predict = await check(
    parts,
    'predict',
    {
      method: 'POST',
      path: `/v2/models/${encodeURIComponent(model)}/infer`,
      headers: { ...headers, 'Content-Type': 'application/json' },
      body: JSON.stringify(body),
    },
    hasOutputs,
  );
  return [live, models, predict];
}

/**
 * False of a model that is not there, or whose pool has no workers at the moment: a check neither fails for that nor wakes a pool that is at zero
 * because nobody needs it.
 */
export async function isAwake(
  { registry, capacity, config, clock }: Pick<Platform, 'registry' | 'capacity' | 'config' | 'clock'>,
  model: string,
): Promise<boolean> {
  const stable = (await registry.readRoute(model))?.stable;
  const version = stable === undefined ? undefined : await registry.readVersion(model, stable);
  if (version === undefined) return false;
  const { pool = 'default' } = version.manifest;
  return config.pools.includes(pool) && hasWorkers(await capacity.read(pool, clock.nowMs()));
}

async function check(
  { ask, log, nowMs }: CheckParts,
  name: string,
  request: CheckRequest,
  isRight: (answer: unknown) => boolean,
): Promise<CheckResult> {
  const startedMs = nowMs();
  const result = (status: number, ok: boolean): CheckResult => {
    const ms = Math.max(0, nowMs() - startedMs);
    if (!ok) log.warn('a check of this region failed', { check: name, status, ms: Math.round(ms) });
    return { check: name, atMs: startedMs, ok, status, ms };
  };
  try {
    const { status, text } = await ask(request, AbortSignal.timeout(PATIENCE_MS));
    return result(status, status === 200 && isRight(JSON.parse(text)));
  } catch {
    return result(0, false);
  }
}

function isLive(answer: unknown): boolean {
  return memberOf(answer, 'live') === true;
}

function hasModels(answer: unknown): boolean {
  return Array.isArray(memberOf(answer, 'models'));
}

function hasOutputs(answer: unknown): boolean {
  const outputs = memberOf(answer, 'outputs');
  return Array.isArray(outputs) && outputs.length > 0;
}

function memberOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}
