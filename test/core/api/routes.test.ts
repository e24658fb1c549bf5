import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { matchRoute } from '../../../core/api/match-route.ts';
import { PARAMS, type ParamName } from '../../../core/api/params.ts';
import { ROUTES } from '../../../core/api/routes.ts';
import { FAILURES } from '../../../core/failure.ts';

const EXAMPLES: Record<ParamName, string> = {
  model: 'ticket-sentiment',
  version: '12',
  prediction: `pred_${'0af'.repeat(10)}12`,
  tenant: 'acme',
  plan: 'pro',
  key: 'us.k3y-0000',
  release: `rel_${'0af1'.repeat(8)}`,
  upload: 'upl_A-9',
  validation: `val_${'0af1'.repeat(8)}`,
  webhook: `wh_${'0af1'.repeat(4)}`,
  letter: `dl_${'0af1'.repeat(8)}`,
  delivery: `msg_${'0af1'.repeat(8)}`,
};

function pathOf(path: string): string {
  return path.replaceAll(/\{(\w+)\}/g, (_, name: ParamName) => EXAMPLES[name]);
}

describe('the table of endpoints', () => {
  it('finds each of its routes with the parameters in the path', () => {
    for (const route of ROUTES) {
      const found = matchRoute(route.method, pathOf(route.path));
      expect(found).toMatchObject({ route: { id: route.id } });
      const names = [...route.path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name as ParamName);
      expect(found).toHaveProperty('params', Object.fromEntries(names.map((name) => [name, EXAMPLES[name]])));
    }
  });

  it('has one id for each route and one route for each method and path', () => {
    expect(new Set(ROUTES.map((route) => route.id)).size).toBe(ROUTES.length);
    expect(new Set(ROUTES.map((route) => `${route.method} ${route.path}`)).size).toBe(ROUTES.length);
  });

  it('is open to the public only where nothing is said of a tenant', () => {
    const open = ROUTES.filter((route) => route.role === 'public').map((route) => route.id);
    expect(open).toEqual(['server-metadata', 'server-live', 'server-ready', 'openapi', 'upload-receive']);
  });

  it('lets no tenant’s user into the control plane, but to ask who it is', () => {
    const control = ROUTES.filter(({ plane, id }) => plane === 'control' && id !== 'session-read');
    for (const { role } of control) expect(role).not.toBe('tenant-user');
  });

  it('lets tenants’ roles reach only what names their tenant in the path', () => {
    for (const route of ROUTES) {
      if (route.plane === 'control' && route.role === 'tenant-admin') expect(route.path).toContain('{tenant}');
    }
  });
});

describe('matching a path', () => {
  it('names the methods of a path that has others', () => {
    expect(matchRoute('POST', '/v2')).toEqual({ allow: ['GET'] });
    expect(matchRoute('get', '/v2')).toEqual({ allow: ['GET'] });
    expect(matchRoute('POST', '/control/v1/tenants/acme')).toEqual({ allow: ['DELETE', 'GET', 'PATCH'] });
  });

  it.each([
    '',
    '/',
    '/v2/',
    '/v2/models/',
    '//v2',
    'v2',
    '/v2/models/a/',
    '/v2/models/a/infer/',
    '/V2',
    '/v2/nothing',
    '/__proto__',
  ])('knows no endpoint at %j', (path) => {
    expect(matchRoute('GET', path)).toBe('route-unknown');
  });

  it.each([
    ['/v2/models/UPPER/infer', 'model-unknown'],
    ['/v2/models/..%2f..%2fetc%2fpasswd/infer', 'model-unknown'],
    ['/v2/models/a%00/infer', 'model-unknown'],
    ['/v2/models/%zz/infer', 'model-unknown'],
    ['/v2/models/%ff/infer', 'model-unknown'],
    ['/v2/models/a/versions/0/infer', 'version-unknown'],
    ['/v2/models/a/versions/latest/infer', 'version-unknown'],
    ['/v2/predictions/pred_1', 'prediction-unknown'],
    ['/control/v1/tenants/Acme', 'tenant-unknown'],
  ])('says of %s that what it names is unknown', (path, code) => {
    expect(matchRoute('POST', path)).toBe(code);
  });

  it('decodes percent-encodings of what could stand there plainly', () => {
    expect(matchRoute('GET', '/v2/models/%61b%2Ec')).toMatchObject({ params: { model: 'ab.c' } });
  });

  it('gives a route with safe parameters, methods or a failure for any path', () => {
    const segment = fc.oneof(
      fc.constantFrom('v2', 'models', 'versions', 'infer', 'control', 'v1', 'tenants', 'data', '', '.', '..'),
      fc.constantFrom(...Object.values(EXAMPLES)),
      fc.string({ unit: fc.constantFrom(...'aZ1._-%2F0/\0ü') }),
    );
    const paths = fc.array(segment, { maxLength: 8 }).map((segments) => `/${segments.join('/')}`);
    fc.assert(
      fc.property(fc.constantFrom('GET', 'POST', 'DELETE', 'HEAD'), paths, (method, path) => {
        const found = matchRoute(method, path);
        if (typeof found === 'string') expect(FAILURES).toHaveProperty([found]);
        else if ('allow' in found) expect(found.allow).not.toContain(method);
        else {
          for (const [name, value] of Object.entries(found.params)) {
            expect(value).toMatch(PARAMS[name as ParamName].pattern);
            expect(value).toMatch(/^[\w.-]+$/);
          }
        }
      }),
      { numRuns: 3000 },
    );
  });
});
