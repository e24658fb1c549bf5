import { FAILURES, Failure } from '../failure.ts';
import { inferRequestJson } from './oip-schemas.ts';
import { ANSWER_HEADERS, REQUEST_HEADERS } from './openapi-headers.ts';
import { type JsonSchema, SchemaBook } from './openapi-schemas.ts';
import { PARAMS, type ParamName } from './params.ts';
import { STATUS, toV2Error } from './problem.ts';
import type { RouteShape } from './route-shape.ts';
import { ROUTES } from './routes.ts';

const INFER_EXAMPLE = {
  id: '42',
  inputs: [{ name: 'text', shape: [1, 1], datatype: 'BYTES', data: ['The new dashboard is wonderful'] }],
};

const PROBLEM_EXAMPLE = toV2Error(new Failure('model-unknown', { field: 'model' }), {
  instance: '/v2/models/no-such-model/infer',
  requestId: 'req_0f8b1c2d',
}).body;

/** The OpenAPI 3.1 document of the route table. Takes milliseconds: build it once. `version` is the product's. */
export function buildOpenApi(version: string): JsonSchema {
  const book = new SchemaBook();
  const paths: Record<string, Record<string, unknown>> = {};
  for (const route of ROUTES as readonly RouteShape[]) {
    const path = paths[route.path] ?? {};
    path[route.method.toLowerCase()] = operation(route, book);
    paths[route.path] = path;
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Sluice',
      version,
      description: 'Multi-tenant ONNX model serving: the Open Inference Protocol v2 and a control plane.',
      license: { name: 'Apache 2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/' }],
    tags: [
      { name: 'data', description: 'Predictions' },
      { name: 'control', description: 'Tenants, keys, plans, models' },
      { name: 'meta', description: 'This document' },
    ],
    paths,
    components: {
      schemas: { ...book.components, Problem: problemSchema() },
      parameters: { ...pathParameters(), ...REQUEST_HEADERS },
      headers: ANSWER_HEADERS,
      responses: { Problem: problemResponse() },
      securitySchemes: {
        bearer: {
          type: 'http',
          scheme: 'bearer',
          description: 'An API key (`slk_…`) or a token of an OIDC issuer that is registered for the tenant.',
        },
      },
    },
  };
}

function operation(route: RouteShape, book: SchemaBook): JsonSchema {
  const body = requestBody(route, book);
  return {
    operationId: route.id,
    tags: [route.plane],
    summary: route.summary,
    ...(route.role === 'public' ? { security: [] } : { security: [{ bearer: [] }], 'x-sluice-role': route.role }),
    parameters: [...parametersOf(route, book)],
    ...(body === undefined ? {} : { requestBody: body }),
    responses: { ...responsesOf(route, book), default: { $ref: '#/components/responses/Problem' } },
  };
}

function* parametersOf(route: RouteShape, book: SchemaBook): Iterable<JsonSchema> {
  for (const [, name] of route.path.matchAll(/\{(\w+)\}/g)) yield { $ref: `#/components/parameters/${name}` };
  if (route.query !== undefined) {
    const { properties, required } = book.refer(route.query, 'input') as {
      properties: Record<string, JsonSchema>;
      required?: string[];
    };
    for (const [name, schema] of Object.entries(properties)) {
      yield { name, in: 'query', required: required?.includes(name) === true, schema };
    }
  }
  for (const name of headersOf(route)) yield { $ref: `#/components/parameters/${name}` };
}

function headersOf(route: RouteShape): readonly (keyof typeof REQUEST_HEADERS)[] {
  if (route.plane !== 'data' || route.role === 'public') return [];
  if (route.body === 'oip-infer') {
    return ['SluiceTenant', 'Prefer', 'CacheControl', 'IdempotencyKey', 'Traceparent', 'HeaderLength'];
  }
  return route.id === 'prediction-read' ? ['SluiceTenant', 'Prefer'] : ['SluiceTenant'];
}

function requestBody(route: RouteShape, book: SchemaBook): JsonSchema | undefined {
  if (route.body === undefined) return undefined;
  if (route.body === 'bytes') return { required: true, content: { 'application/octet-stream': {} } };
  if (route.body !== 'oip-infer') {
    return { required: true, content: { 'application/json': { schema: book.refer(route.body, 'input') } } };
  }
  const schema = book.refer(inferRequestJson, 'input');
  return {
    required: true,
    content: {
      'application/json': { schema, example: INFER_EXAMPLE },
      // JSON and then the tensors: no schema describes it.
      'application/octet-stream': {},
    },
  };
}

function responsesOf(route: RouteShape, book: SchemaBook): JsonSchema {
  const responses: Record<string, JsonSchema> = {};
  for (const [status, schema] of Object.entries(route.responses)) {
    responses[status] = {
      description: schema === 'empty' ? 'Done' : route.summary,
      headers: referTo(answerHeaders(route, status)),
      ...(schema === 'empty' ? {} : { content: answerContent(route, status, book.refer(schema, 'output')) }),
    };
  }
  return responses;
}

function referTo(names: readonly (keyof typeof ANSWER_HEADERS)[]): JsonSchema {
  return Object.fromEntries(names.map((name) => [name, { $ref: `#/components/headers/${name}` }]));
}

const ON_EVERY_ANSWER = ['Sluice-Region', 'Sluice-Request-Id'] as const;
const ON_DATA_ANSWERS = [...ON_EVERY_ANSWER, 'Sluice-Cache', 'RateLimit', 'RateLimit-Policy'] as const;
const ON_PREDICTIONS = [
  ...ON_DATA_ANSWERS,
  'Sluice-Model-Version',
  'Sluice-Prediction',
  'Sluice-Variant',
  'Sluice-Degraded',
  'Preference-Applied',
] as const;

function answerHeaders(route: RouteShape, status: string): readonly (keyof typeof ANSWER_HEADERS)[] {
  if (status === '503') return [...ON_EVERY_ANSWER, 'Retry-After'];
  if (status === '202') {
    return [...(route.plane === 'control' ? ON_EVERY_ANSWER : ON_PREDICTIONS), 'Location', 'Retry-After'];
  }
  if (route.body === 'oip-infer') return [...ON_PREDICTIONS, 'Sluice-Replayed', 'Inference-Header-Content-Length'];
  if (route.id === 'prediction-read') return ON_PREDICTIONS;
  return route.plane === 'data' && route.role !== 'public' ? ON_DATA_ANSWERS : ON_EVERY_ANSWER;
}

function answerContent(route: RouteShape, status: string, schema: JsonSchema): JsonSchema {
  const json = { 'application/json': { schema } };
  return route.body === 'oip-infer' && status === '200' ? { ...json, 'application/octet-stream': {} } : json;
}

function pathParameters(): JsonSchema {
  const book = new SchemaBook();
  return Object.fromEntries(
    (Object.keys(PARAMS) as ParamName[]).map((name) => {
      const { description, ...schema } = book.refer(PARAMS[name].schema, 'input');
      return [name, { name, in: 'path', required: true, description, schema }];
    }),
  );
}

function problemSchema(): JsonSchema {
  const text = { type: 'string' };
  return {
    type: 'object',
    description: 'RFC 9457. Members beyond these are facts of the failure, in snake_case.',
    properties: {
      type: { type: 'string', format: 'uri-reference' },
      title: text,
      status: { type: 'integer', enum: [...new Set(Object.values(STATUS))].sort() },
      detail: text,
      instance: text,
      code: { type: 'string', enum: Object.keys(FAILURES) },
      request_id: text,
      retryable: { type: 'boolean' },
      advice: text,
      field: { type: 'string', description: 'What to correct.' },
      error: { type: 'string', description: 'On /v2: what clients of the Open Inference Protocol read.' },
    },
    required: ['type', 'title', 'status', 'detail', 'instance', 'code', 'request_id', 'retryable', 'advice'],
  };
}

function problemResponse(): JsonSchema {
  return {
    description: 'Refused or failed; `code` says why and `advice` what to do.',
    headers: referTo([...ON_EVERY_ANSWER, 'Retry-After', 'RateLimit', 'RateLimit-Policy']),
    content: {
      'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' }, example: PROBLEM_EXAMPLE },
    },
  };
}
