import type { APIGatewayProxyEvent } from 'aws-lambda';
import { expect, test } from 'vitest';
import { basePathOf, pathOf } from '../../lambdas/entry/api-request.ts';

function event(resource: string, path: string, pathParameters: Record<string, string> | null = null) {
  return { resource, path, pathParameters, requestContext: { path } } as unknown as APIGatewayProxyEvent;
}

test.each([
  ['/v2', '/live/v2', null, '/v2', '/live'],
  ['/v2', '/v2', null, '/v2', ''],
  ['/v2', '/live/v2/', null, '/v2', '/live'],
  ['/v2/models/{model}', '/a/b/v2/models/m', { model: 'm' }, '/v2/models/m', '/a/b'],
  ['/v2/models/{model}', '/v2/models/a%2Db', { model: 'a%2Db' }, '/v2/models/a-b', ''],
  ['/v2/models/{model}', '/v2/models/a-b', { model: 'a-b' }, '/v2/models/a-b', ''],
  ['/v2/models/{model}', '/v2/models/a%2Fb', { model: 'a/b' }, '/v2/models/a%2Fb', ''],
  ['/v2/models/{model}', '/v2/models/%', { model: '%' }, '/v2/models/%25', ''],
  ['/', '/live/', null, '/', '/live'],
])('%s asked as %s: the path below the stage, and what is above it', (resource, path, parameters, own, above) => {
  expect(pathOf(event(resource, path, parameters))).toBe(own);
  expect(basePathOf(event(resource, path, parameters))).toBe(above);
});

test('what no resource takes keeps its path', () => {
  expect(pathOf(event('/{proxy+}', '/live/v3/a%20b', { proxy: 'v3/a%20b' }))).toBe('/v3/a%20b');
});
