import { GatewayResponse, type IRestApi, ResponseType } from 'aws-cdk-lib/aws-apigateway';
import { Construct } from 'constructs';

/** A failure as the platform's own answers tell it; texts and codes are those of its catalogue. */
export type GatewayFailure = {
  readonly code: string;
  readonly status: number;
  readonly title: string;
  readonly retryable: boolean;
  readonly advice: string;
};

const INTERNAL = {
  code: 'internal',
  status: 500,
  title: 'Something broke on our side',
  retryable: true,
  advice: 'Retry; if it goes on, report the `request_id`.',
} as const;
const OVERLOADED = {
  code: 'overloaded',
  status: 503,
  title: 'No capacity right now',
  retryable: true,
  advice: 'Retry after the time given.',
} as const;
const FORBIDDEN = {
  code: 'forbidden',
  status: 403,
  title: 'Not allowed',
  retryable: false,
  advice: 'Use credentials with the role named in `required_role`, or scoped to this resource.',
} as const;
const INVALID = {
  code: 'request-invalid',
  status: 400,
  title: 'Request not valid',
  retryable: false,
  advice: 'Correct the field named in `field`.',
} as const;
const UNKNOWN_ROUTE = {
  code: 'route-unknown',
  status: 404,
  title: 'No such endpoint',
  retryable: false,
  advice: 'See /openapi.json for the endpoints of this server.',
} as const;
const NO_CREDENTIALS = {
  code: 'credentials-invalid',
  status: 401,
  title: 'Credentials not accepted',
  retryable: false,
  advice: 'Check the key or token; create a new key if it was revoked.',
} as const;
const TOO_LARGE = {
  code: 'body-too-large',
  status: 413,
  title: 'Body too large',
  retryable: false,
  advice: 'Split the request; the limit is in `limit_bytes`.',
} as const;

/** Whatever API Gateway may answer by itself: all of its kinds. A full stage or function is our capacity, no tenant's quota. */
export const GATEWAY_FAILURES: Readonly<Record<string, GatewayFailure>> = {
  ACCESS_DENIED: FORBIDDEN,
  API_CONFIGURATION_ERROR: INTERNAL,
  AUTHORIZER_CONFIGURATION_ERROR: INTERNAL,
  AUTHORIZER_FAILURE: INTERNAL,
  BAD_REQUEST_BODY: INVALID,
  BAD_REQUEST_PARAMETERS: INVALID,
  DEFAULT_4XX: INVALID,
  DEFAULT_5XX: INTERNAL,
  EXPIRED_TOKEN: NO_CREDENTIALS,
  INTEGRATION_FAILURE: OVERLOADED,
  INTEGRATION_TIMEOUT: OVERLOADED,
  INVALID_API_KEY: NO_CREDENTIALS,
  INVALID_SIGNATURE: NO_CREDENTIALS,
  MISSING_AUTHENTICATION_TOKEN: UNKNOWN_ROUTE,
  QUOTA_EXCEEDED: OVERLOADED,
  REQUEST_TOO_LARGE: TOO_LARGE,
  RESOURCE_NOT_FOUND: UNKNOWN_ROUTE,
  THROTTLED: OVERLOADED,
  UNAUTHORIZED: NO_CREDENTIALS,
  UNSUPPORTED_MEDIA_TYPE: INVALID,
  WAF_FILTERED: FORBIDDEN,
};

const RETRY_AFTER_S = 1;
/** What functions take of a decoded body. API Gateway itself takes 10 MB and Lambda 6 MB: who is refused by those is told what will do. */
const LIMIT_BYTES = 4 * 1024 * 1024;

/** Answers in the platform's own shape for what never reaches a function. */
export class GatewayResponses extends Construct {
  constructor(scope: Construct, id: string, restApi: IRestApi) {
    super(scope, id);
    for (const [type, failure] of Object.entries(GATEWAY_FAILURES)) {
      new GatewayResponse(this, type, {
        restApi,
        type: ResponseType.of(type),
        statusCode: String(failure.status),
        responseHeaders: headersOf(failure),
        templates: { 'application/json': JSON.stringify(problemOf(failure)) },
      });
    }
  }
}

function headersOf({ status }: GatewayFailure): Record<string, string> {
  return {
    'Content-Type': "'application/problem+json'",
    'Cache-Control': "'no-store'",
    // Says nothing of anybody, and a browser that may not read it cannot tell why it failed.
    'Access-Control-Allow-Origin': "'*'",
    ...(status === 503 && { 'Retry-After': `'${RETRY_AFTER_S}'` }),
    ...(status === 401 && { 'WWW-Authenticate': `'Bearer error="invalid_token"'` }),
  };
}

/** With the `error` string of the Open Inference Protocol; `instance` names the request, as its path may not be valid in JSON. */
function problemOf({ code, status, title, retryable, advice }: GatewayFailure): Record<string, unknown> {
  return {
    type:
      status === 503
        ? 'https://iana.org/assignments/http-problem-types#temporary-reduced-capacity'
        : `urn:sluice:failure:${code}`,
    title,
    status,
    detail: title,
    instance: 'urn:sluice:request:$context.requestId',
    code,
    request_id: '$context.requestId',
    retryable,
    advice,
    ...(code === 'body-too-large' && { limit_bytes: LIMIT_BYTES }),
    ...(status === 503 && { retry_after_s: RETRY_AFTER_S }),
    error: `${code}: ${title}`,
  };
}
