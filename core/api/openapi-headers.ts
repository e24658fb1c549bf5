import { DEGRADATIONS } from '../inference/degradation.ts';

/** Headers of requests and answers as the OpenAPI document has them. The parsers and formatters are in headers.ts. */
const text = { type: 'string' };
const wholeNumber = { type: 'integer', minimum: 0 };

function requestHeader(name: string, description: string, example: string, schema: object = text) {
  return { name, in: 'header', required: false, description, schema, example };
}

export const REQUEST_HEADERS = {
  Prefer: requestHeader(
    'Prefer',
    'RFC 7240: `respond-async` answers 202 at once, `wait=n` waits up to n seconds first.',
    'respond-async, wait=10',
  ),
  CacheControl: requestHeader(
    'Cache-Control',
    'Of models with a response cache: `no-cache` (or `max-age=0`) computes the answer anew and keeps it, `no-store` neither reads nor keeps.',
    'no-cache',
  ),
  IdempotencyKey: requestHeader(
    'Idempotency-Key',
    'A quoted string of at most 255 printable characters. The same request with the same key gets the same answer.',
    '"8e03978e-40d5-43dd-bc93-6894a57f9324"',
  ),
  Traceparent: requestHeader(
    'traceparent',
    'W3C trace context; malformed values are ignored.',
    '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
  ),
  SluiceTenant: requestHeader('Sluice-Tenant', 'The tenant that an operator acts for; others have their own.', 'acme'),
  HeaderLength: requestHeader(
    'Inference-Header-Content-Length',
    'Length in bytes of the JSON before the binary tensors.',
    '164',
    wholeNumber,
  ),
};

export const ANSWER_HEADERS = {
  'Retry-After': { description: 'Seconds to wait. Always there on 429 and 503.', schema: wholeNumber },
  RateLimit: { description: 'Units left and seconds until more come: `"requests";r=50;t=30`.', schema: text },
  'RateLimit-Policy': { description: 'Units in a window of seconds: `"requests";q=100;w=60`.', schema: text },
  Location: { description: 'Where to ask for the result.', schema: text },
  'Preference-Applied': { description: 'The preferences that were honoured.', schema: text },
  'Inference-Header-Content-Length': {
    description: 'Length in bytes of the JSON before the binary tensors, if there are any.',
    schema: wholeNumber,
  },
  'Sluice-Model-Version': { description: 'The version that answered.', schema: text },
  'Sluice-Prediction': {
    description: 'The id of the prediction, by which its true label is told; none where a cache answered.',
    schema: text,
  },
  'Sluice-Region': { description: 'The region that answered.', schema: text },
  'Sluice-Request-Id': { description: 'The id under which the log knows this request.', schema: text },
  'Sluice-Cache': {
    description:
      '`hit`: the answer was kept from an earlier request of this tenant. `miss`: computed, and kept if it is small enough. ' +
      '`bypass`: computed because Cache-Control said so. `none`: no cache took part.',
    schema: { type: 'string', enum: ['hit', 'miss', 'bypass', 'none'] },
  },
  'Sluice-Variant': {
    description: 'The model that answered, where it is another than the one named.',
    schema: text,
  },
  'Sluice-Degraded': {
    description:
      "Why the model's fallback answered. `breaker-open`: the version keeps failing. `overloaded`: it would have answered too " +
      'late, or its pool is not there. `timeout`: it took too long. `failed`: it crashed on this input or could not be run. `slow`: it had not ' +
      'answered in time. `cold`: it was not loaded.',
    schema: { type: 'string', enum: [...DEGRADATIONS] },
  },
  'Sluice-Replayed': {
    description: '`true` if an earlier request with this Idempotency-Key made the answer.',
    schema: text,
  },
};
