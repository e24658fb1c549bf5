import { expect, test } from 'vitest';
import { buildOpenApi } from '../../core/api/openapi.ts';
import { ROUTES } from '../../core/api/routes.ts';
import { createHandlers } from '../../lambdas/http/handlers.ts';
import type { ModelHost } from '../../lambdas/http/host.ts';

const IDS = ROUTES.map((route) => route.id as string).sort();

test('every route of the table has a handler, and no handler is without a route', () => {
  // Handlers are made from the ports and use them only when they are called.
  const host = { config: { region: 'us', regionUrls: {}, corsOrigins: [] } } as unknown as ModelHost;
  const handlers = createHandlers(host);
  expect(Object.keys(handlers).sort()).toEqual(IDS);
  for (const handler of Object.values(handlers)) expect(handler).toBeTypeOf('function');
});

test('OpenAPI has the operations of the table and no others', () => {
  const { paths } = buildOpenApi('1.0.0') as { paths: Record<string, Record<string, { operationId: string }>> };
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { operationId }]) => `${method.toUpperCase()} ${path} ${operationId}`),
  );
  expect(operations.sort()).toEqual(ROUTES.map(({ method, path, id }) => `${method} ${path} ${id}`).sort());
  expect(new Set(IDS).size).toBe(IDS.length);
});
