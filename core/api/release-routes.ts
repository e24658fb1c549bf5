import * as json from './release-schemas.ts';
import type { RouteShape } from './route-shape.ts';
import { listOf, pageOf, pageQuery, pinPutBody, tenantJson } from './schemas.ts';
import { noticeWebhookCreateBody, webhookJson, webhookWithSecretJson } from './webhook-schemas.ts';

const RELEASES = '/control/v1/models/{model}/releases';
const RELEASE = '/control/v1/releases/{release}';
const NOTICE_WEBHOOKS = '/control/v1/notice-webhooks';
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
    id: 'release-list-all',
    method: 'GET',
    path: '/control/v1/releases',
    summary: 'Releases of all models, the newest start first; with `state=active` those that have not ended',
    query: json.releaseListQuery,
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
  {
    ...control,
    id: 'notice-webhook-create',
    method: 'POST',
    path: NOTICE_WEBHOOKS,
    summary:
      'Tell an address of what becomes of releases and models in this region from now on; at most 10. Holds the secret this once',
    body: noticeWebhookCreateBody,
    responses: { 201: webhookWithSecretJson },
  },
  {
    ...control,
    id: 'notice-webhook-list',
    method: 'GET',
    path: NOTICE_WEBHOOKS,
    summary: 'Webhooks that are told of releases and models, without their secrets',
    responses: { 200: listOf(webhookJson) },
  },
  {
    ...control,
    id: 'notice-webhook-remove',
    method: 'DELETE',
    path: `${NOTICE_WEBHOOKS}/{webhook}`,
    summary: 'Tell an address no more of releases and models',
    responses: { 204: 'empty' },
  },
] as const satisfies readonly RouteShape[];
