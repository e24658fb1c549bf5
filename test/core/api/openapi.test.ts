import { Validator } from '@seriousme/openapi-schema-validator';
import { describe, expect, it } from 'vitest';
import { buildOpenApi } from '../../../core/api/openapi.ts';
import { ROUTES } from '../../../core/api/routes.ts';
import { FAILURES } from '../../../core/failure.ts';

type Operation = { operationId: string; security: object[]; parameters: { $ref?: string; name?: string }[] };
type Document = {
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: { Problem: { properties: { code: { enum: string[] } } } } };
};

const text = JSON.stringify(buildOpenApi('1.2.3'));
const parsed: Document = JSON.parse(text);

describe('the OpenAPI document', () => {
  it('is valid for a public validator, references included', async () => {
    const validator = new Validator();
    const { valid, errors } = await validator.validate(JSON.parse(text));
    expect(errors).toBeUndefined();
    expect(valid).toBe(true);
    expect(validator.version).toBe('3.1');
  });

  it('refers to nothing that is not there', () => {
    const references = [...text.matchAll(/"\$ref":"#\/([^"]+)"/g)].map(([, path]) => path!.split('/'));
    expect(references.length).toBeGreaterThan(100);
    for (const path of references) expect(parsed).toHaveProperty(path);
  });

  it('has every route of the table and nothing else', () => {
    const documented = Object.entries(parsed.paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, { operationId }]) => `${operationId} ${method.toUpperCase()} ${path}`),
    );
    expect(documented.sort()).toEqual(ROUTES.map(({ id, method, path }) => `${id} ${method} ${path}`).sort());
  });

  it('asks for credentials wherever the table does', () => {
    for (const { path, method, role } of ROUTES) {
      const operation = parsed.paths[path]?.[method.toLowerCase()];
      expect(operation?.security).toEqual(role === 'public' ? [] : [{ bearer: [] }]);
    }
  });

  it('describes path, query and header parameters', () => {
    const parameters = (path: string, method: string) =>
      parsed.paths[path]?.[method]?.parameters.map(({ $ref, name }) => name ?? $ref?.split('/').at(-1));
    expect(parameters('/v2/models/{model}/versions/{version}/infer', 'post')).toEqual([
      'model',
      'version',
      'SluiceTenant',
      'Prefer',
      'CacheControl',
      'IdempotencyKey',
      'Traceparent',
      'HeaderLength',
    ]);
    expect(parameters('/control/v1/tenants', 'get')).toEqual(['limit', 'cursor']);
    expect(parameters('/control/v1/issuers', 'delete')).toEqual(['issuer']);
  });

  it('lists every failure code', () => {
    expect(parsed.components.schemas.Problem.properties.code.enum).toEqual(Object.keys(FAILURES));
  });
});
