import { FAILURES, type Failure, type FailureCode, type FailureFacts } from '../failure.ts';
import type { QuotaState } from '../inference/request.ts';
import { SECOND_MS } from '../units.ts';
import { formatRateLimit, formatRateLimitPolicy } from './headers.ts';
import { snakeCase } from './snake-case.ts';

/** The HTTP status of every failure; no other file knows one. */
export const STATUS: Readonly<Record<FailureCode, number>> = {
  'credentials-missing': 401,
  'credentials-invalid': 401,
  'credentials-expired': 401,
  'issuer-unknown': 401,
  'issuer-unavailable': 503,
  forbidden: 403,
  'wrong-region': 421,
  'region-unavailable': 503,
  'route-unknown': 404,
  'method-unsupported': 405,
  'tenant-unknown': 404,
  'model-unknown': 404,
  'version-unknown': 404,
  'version-not-ready': 503,
  'prediction-unknown': 404,
  'key-unknown': 404,
  'plan-unknown': 404,
  'pool-unknown': 422,
  'webhook-unknown': 404,
  'delivery-unknown': 404,
  'webhook-limit-reached': 422,
  'webhook-url-refused': 422,
  'validation-unknown': 404,
  'dead-letter-unknown': 404,
  'dead-letter-empty': 409,
  'release-unknown': 404,
  'upload-unknown': 404,
  'body-too-large': 413,
  'body-incomplete': 400,
  'headers-too-large': 431,
  'json-invalid': 400,
  'json-too-deep': 400,
  'request-invalid': 400,
  'field-unknown': 400,
  'content-encoding-unsupported': 415,
  'binary-length-invalid': 400,
  'input-missing': 400,
  'input-unknown': 400,
  'output-unknown': 400,
  'datatype-mismatch': 400,
  'datatype-unsupported': 400,
  'shape-mismatch': 400,
  'element-count-mismatch': 400,
  'element-invalid': 400,
  'value-out-of-range': 400,
  'value-not-finite': 400,
  'text-invalid': 400,
  'input-too-large': 400,
  'header-invalid': 400,
  'deadline-too-short': 504,
  'idempotency-key-reused': 422,
  'idempotency-in-flight': 409,
  'state-conflict': 409,
  'already-exists': 409,
  'quota-exceeded': 429,
  'in-flight-exceeded': 429,
  'compute-budget-exceeded': 429,
  'version-unavailable': 503,
  'pool-unavailable': 503,
  overloaded: 503,
  draining: 503,
  'prediction-cancelled': 410,
  'prediction-expired': 504,
  'prediction-timeout': 504,
  'prediction-failed': 422,
  'runner-crashed': 502,
  'input-quarantined': 422,
  'model-load-failed': 503,
  'artifact-missing': 500,
  'artifact-damaged': 500,
  'feedback-not-kept': 409,
  'feedback-conflict': 409,
  'feedback-too-late': 410,
  'label-unknown': 422,
  'manifest-invalid': 422,
  'model-invalid': 422,
  'golden-mismatch': 422,
  'golden-invalid': 422,
  'reference-invalid': 422,
  'reference-missing': 409,
  'model-external-data': 422,
  'model-output-unsupported': 422,
  'model-constant': 422,
  'model-crashes': 422,
  'tokenizer-invalid': 422,
  'validation-timeout': 422,
  'validation-failed': 503,
  'release-plan-invalid': 422,
  'release-incompatible': 422,
  'release-verb-refused': 409,
  'data-erased': 410,
  'record-damaged': 500,
  'storage-unavailable': 503,
  'storage-misconfigured': 503,
  internal: 500,
};

export type Problem = {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Readonly<Record<string, unknown>>;
};

/** Of the request that failed: its path without the query, and the id under which the log knows it. */
export type ProblemContext = { readonly instance: string; readonly requestId: string };

/** Said where a failure that passes does not say when it will. */
const DEFAULT_RETRY_AFTER_S = 1;
const IANA_TYPES = 'https://iana.org/assignments/http-problem-types';
const NO_CAPACITY: readonly FailureCode[] = ['overloaded', 'draining', 'pool-unavailable'];
/** Facts with a member of their own. */
const PLACED = new Set(['detail', 'retryAfterMs', 'violatedPolicy']);

/**
 * RFC 9457: `type, title, status, detail, instance`, with `code`, `request_id`, `retryable`, `advice` and the facts as
 * members in snake_case. `Retry-After` is always there on 429 and 503, in whole seconds rounded up, and never earlier
 * than the `t` of RateLimit. `Allow` on 405 (fact `allow`) and `WWW-Authenticate` on 401, as RFC 9110 demands.
 */
export function toProblem(failure: Failure, context: ProblemContext): Problem {
  const { code, facts } = failure;
  const status = STATUS[code];
  const body: Record<string, unknown> = {
    type: typeOf(code, status),
    title: FAILURES[code].title,
    status,
    detail: facts.detail ?? FAILURES[code].title,
    instance: context.instance,
    code,
    request_id: context.requestId,
    retryable: FAILURES[code].retryable,
    advice: typeof facts.advice === 'string' ? facts.advice : FAILURES[code].advice,
  };
  for (const [fact, value] of Object.entries(facts)) {
    const member = snakeCase(fact);
    // A fact never takes the place of a standard member.
    if (value !== undefined && !PLACED.has(fact) && !Object.hasOwn(body, member)) body[member] = value;
  }
  if (facts.retryAfterMs !== undefined) body.retry_after_s = retryAfterS(facts);
  // The one member that the registered type itself defines, so it keeps that name.
  if (facts.violatedPolicy !== undefined) body['violated-policies'] = [facts.violatedPolicy];
  return { status, headers: headersOf(status, code, facts), body };
}

/** The same with the `error` string that clients of the Open Inference Protocol read. */
export function toV2Error(failure: Failure, context: ProblemContext): Problem {
  const problem = toProblem(failure, context);
  const { field } = failure.facts;
  const detail = String(problem.body.detail);
  const where = field === undefined || detail.includes(field) ? '' : ` (${field})`;
  return { ...problem, body: { ...problem.body, error: `${failure.code}: ${detail}${where}` } };
}

function typeOf(code: FailureCode, status: number): string {
  if (status === 429) return `${IANA_TYPES}#quota-exceeded`;
  if (NO_CAPACITY.includes(code)) return `${IANA_TYPES}#temporary-reduced-capacity`;
  return `urn:sluice:failure:${code}`;
}

function headersOf(status: number, code: FailureCode, facts: FailureFacts): Record<string, string> {
  const headers: Record<string, string> = { 'Content-Type': 'application/problem+json', 'Cache-Control': 'no-store' };
  if (status === 429 || status === 503 || facts.retryAfterMs !== undefined) {
    headers['Retry-After'] = String(retryAfterS(facts));
  }
  const quota = quotaOf(facts);
  if (quota !== undefined) {
    headers.RateLimit = formatRateLimit(quota);
    headers['RateLimit-Policy'] = formatRateLimitPolicy(quota);
  }
  if (status === 401) {
    headers['WWW-Authenticate'] = code === 'credentials-missing' ? 'Bearer' : 'Bearer error="invalid_token"';
  }
  if (status === 405 && Array.isArray(facts.allow)) headers.Allow = facts.allow.join(', ');
  return headers;
}

function retryAfterS(facts: FailureFacts): number {
  const { retryAfterMs } = facts;
  if (retryAfterMs === undefined || !Number.isFinite(retryAfterMs)) return DEFAULT_RETRY_AFTER_S;
  return Math.max(DEFAULT_RETRY_AFTER_S, Math.ceil(retryAfterMs / SECOND_MS));
}

/** The rate that was used up, where the failure tells of one. Its `t` is when a unit comes back: Retry-After's time. */
function quotaOf(facts: FailureFacts): QuotaState | undefined {
  const { violatedPolicy, limit, windowS, remaining } = facts;
  if (typeof violatedPolicy !== 'string' || typeof limit !== 'number' || typeof windowS !== 'number') return undefined;
  const left = typeof remaining === 'number' ? remaining : 0;
  return { policy: violatedPolicy, limit, windowS, remaining: left, resetS: retryAfterS(facts) };
}
