import { binaryOutputs, encodeInferBinary } from '../../core/api/oip-binary.ts';
import { encodeInferJson } from '../../core/api/oip-json.ts';
import type { InferAnswer, InferRequest, Prefer } from '../../core/inference/request.ts';
import { LONGEST_WAIT_MS } from '../../core/inference/submit.ts';
import { SECOND_MS } from '../../core/units.ts';
import type { HttpAnswer } from '../middleware/http-handler.ts';

type Answered = Extract<InferAnswer, { kind: 'answered' }>;
type Accepted = Extract<InferAnswer, { kind: 'accepted' }>;
/** Which outputs were asked for in binary. */
type Wanted = Pick<InferRequest, 'outputs' | 'binaryByDefault'>;

const ALL_AS_JSON: Wanted = { outputs: undefined, binaryByDefault: false };

/** 200 with the outputs, in JSON or as far as was wished in the binary extension. */
export function answered(answer: Answered, prefer: Prefer, wanted: Wanted = ALL_AS_JSON): HttpAnswer {
  const { outputs } = answer.outcome;
  const response = { model: answer.model, version: answer.version, id: answer.clientId ?? answer.id, outputs };
  const headers: Record<string, string> = {
    'Content-Type': 'application/json',
    'Sluice-Model-Version': answer.version,
  };
  // Nothing is known of what a cache answered.
  if (answer.cache !== 'hit') headers['Sluice-Prediction'] = answer.id;
  if (answer.variant !== undefined) headers['Sluice-Variant'] = answer.variant;
  if (answer.degraded !== undefined) headers['Sluice-Degraded'] = answer.degraded;
  if (answer.cache !== undefined) headers['Sluice-Cache'] = answer.cache;
  if (answer.replayed) headers['Sluice-Replayed'] = 'true';
  if (prefer.waitMs !== undefined && !prefer.respondAsync) headers['Preference-Applied'] = waitApplied(prefer.waitMs);
  const binary = binaryOutputs(wanted, outputs);
  if (binary.size === 0) return { status: 200, headers, body: encodeInferJson(response) };
  const { body, headerLength } = encodeInferBinary(response, binary);
  headers['Content-Type'] = 'application/octet-stream';
  headers['Inference-Header-Content-Length'] = String(headerLength);
  return { status: 200, headers, body };
}

/** 202 with the place to ask again. */
export function accepted(answer: Accepted, prefer: Prefer): HttpAnswer {
  const headers: Record<string, string> = {
    'Content-Type': 'application/json',
    'Sluice-Model-Version': answer.version,
    Location: `/v2/predictions/${answer.id}`,
    'Sluice-Prediction': answer.id,
    'Retry-After': String(Math.ceil(answer.retryAfterMs / SECOND_MS)),
  };
  if (answer.variant !== undefined) headers['Sluice-Variant'] = answer.variant;
  if (answer.degraded !== undefined) headers['Sluice-Degraded'] = answer.degraded;
  const applied = [
    ...(prefer.respondAsync ? ['respond-async'] : []),
    ...(prefer.waitMs === undefined ? [] : [waitApplied(prefer.waitMs)]),
  ];
  if (applied.length > 0) headers['Preference-Applied'] = applied.join(', ');
  const body = { id: answer.id, state: 'pending', model_version: answer.version };
  return { status: 202, headers, body: JSON.stringify(body) };
}

/** What was waited at most, which may be less than was asked. */
function waitApplied(waitMs: number): string {
  return `wait=${Math.min(waitMs, LONGEST_WAIT_MS) / SECOND_MS}`;
}
