import * as json from './release-schemas.ts';
import type { RouteShape } from './route-shape.ts';
import { pageOf, pageQuery, pinPutBody, tenantJson } from './schemas.ts';

const RELEASES = '/control/v1/models/{model}/releases';
const RELEASE = '/control/v1/releases/{release}';
const PIN = '/control/v1/tenants/{tenant}/pins/{model}';
const control = { plane: 'control', role: 'operator' } as const;

export const RELEASE_ROUTES = [
  {
    ...control,
    id: 'release-start',
    method: 'POST',
    path: RELEASES,
    summary:
      'Release a version over the stable one: compares both on golden pairs, which takes up to 20 s, then starts without traffic. `Idempotency-Key` starts it once',
    body: json.releaseStartBody,
    responses: { 202: json.releaseStartedJson },
  },
  {
    ...control,
    id: 'release-list',
    method: 'GET',
    path: RELEASES,
    summary: 'Releases of a model, newest first',
    query: pageQuery,
    responses: { 200: pageOf(json.releaseJson) },
  },
  {
    ...control,
    id: 'release-read',
    method: 'GET',
    path: RELEASE,
    summary: 'Where a release is, its verdict, and what both versions did since its share last changed',
    responses: { 200: json.releaseDetailJson },
  },
  {
    ...control,
    id: 'release-audit-list',
    method: 'GET',
    path: `${RELEASE}/audits`,
    summary: 'Who did what to a release, when and why, in order',
    query: pageQuery,
    responses: { 200: json.releaseAuditPage },
  },
  {
    ...control,
    id: 'release-verb',
    method: 'POST',
    path: `${RELEASE}/verbs`,
    summary: 'Promote, pause, resume, abort, approve, retry or undo a release',
    body: json.releaseVerbBody,
    responses: { 200: json.releaseVerbJson },
  },
  {
    ...control,
    id: 'pin-put',
    method: 'PUT',
    path: PIN,
    summary: 'Keep a tenant on one version of a model, whatever releases say; in force within a second',
    body: pinPutBody,
    responses: { 200: tenantJson },
  },
  {
    ...control,
    id: 'pin-remove',
    method: 'DELETE',
    path: PIN,
    summary: 'Let the tenant have what releases say again',
    responses: { 200: tenantJson },
  },
] as const satisfies readonly RouteShape[];
