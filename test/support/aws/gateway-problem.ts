import { STATUS } from '../../../core/api/problem.ts';
import { FAILURES, type FailureCode } from '../../../core/failure.ts';

/** What a gateway answers by itself, as AWS names it (.../supported-gateway-response-types.html). */
export type GatewayResponseType =
  | 'REQUEST_TOO_LARGE'
  | 'MISSING_AUTHENTICATION_TOKEN'
  | 'INTEGRATION_TIMEOUT'
  /** A function failed, or what it answered is no answer. */
  | 'DEFAULT_5XX';

/** As the API's own GatewayResponses have it: see `lib/constructs/gateway-responses.ts`. */
const CODES: Readonly<Record<GatewayResponseType, FailureCode>> = {
  REQUEST_TOO_LARGE: 'body-too-large',
  MISSING_AUTHENTICATION_TOKEN: 'route-unknown',
  INTEGRATION_TIMEOUT: 'overloaded',
  DEFAULT_5XX: 'internal',
};

/** The same problem for every request: a template knows no more of one than its id. */
export function gatewayProblem(type: GatewayResponseType, requestId: string) {
  const code = CODES[type];
  const status = STATUS[code];
  const { title, retryable, advice } = FAILURES[code];
  const headers = {
    'Content-Type': 'application/problem+json',
    'Cache-Control': 'no-store',
    'Access-Control-Allow-Origin': '*',
    ...(status === 503 && { 'Retry-After': '1' }),
  };
  const body = {
    type: `urn:sluice:failure:${code}`,
    title,
    status,
    detail: title,
    instance: `urn:sluice:request:${requestId}`,
    code,
    request_id: requestId,
    retryable,
    advice,
    error: `${code}: ${title}`,
  };
  return { status, headers, body };
}
