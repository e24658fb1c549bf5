import { qualityJson, qualityQuery, referencePutBody, tenantQualityJson } from './quality-schemas.ts';
import type { RouteShape } from './route-shape.ts';

const QUALITY = '/control/v1/models/{model}/quality';
const control = { plane: 'control', role: 'operator' } as const;

/** How versions compare with their references. */
export const QUALITY_ROUTES = [
  {
    ...control,
    id: 'quality-read',
    method: 'GET',
    path: QUALITY,
    summary:
      'Whether a version has drifted from its reference, by labels, confidence and inputs, as the last window had it',
    query: qualityQuery,
    responses: { 200: qualityJson },
  },
  {
    ...control,
    id: 'quality-check',
    method: 'POST',
    path: `${QUALITY}/checks`,
    summary:
      'Look now: judge the windows that have ended, and say what the open one would come to, which counts for nothing',
    query: qualityQuery,
    responses: { 200: qualityJson },
  },
  {
    ...control,
    id: 'quality-reference-put',
    method: 'PUT',
    path: `${QUALITY}/reference`,
    summary: 'Compare a version with its validation, its training data or a span of production from now on',
    query: qualityQuery,
    body: referencePutBody,
    responses: { 200: qualityJson },
  },
  {
    ...control,
    id: 'tenant-quality-read',
    method: 'GET',
    path: '/control/v1/tenants/{tenant}/models/{model}/quality',
    summary: 'Whether the version that answers a tenant has drifted, of models that its plan includes',
    role: 'tenant-admin',
    responses: { 200: tenantQualityJson },
  },
] as const satisfies readonly RouteShape[];
