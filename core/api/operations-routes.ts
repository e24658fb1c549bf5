import * as json from './operations-schemas.ts';
import type { RouteShape } from './route-shape.ts';
import { listOf, pageOf } from './schemas.ts';

const TENANT = '/control/v1/tenants/{tenant}';
const DEAD_LETTER = `${TENANT}/dead-letters/{letter}`;
const control = { plane: 'control', role: 'operator' } as const;

/** By which a region is looked after. */
export const OPERATIONS_ROUTES = [
  {
    ...control,
    id: 'pool-list',
    method: 'GET',
    path: '/control/v1/pools',
    summary: 'What waits in each queue, and the workers of each pool with what they have loaded',
    responses: { 200: listOf(json.poolJson) },
  },
  {
    ...control,
    id: 'dead-letter-list',
    method: 'GET',
    path: '/control/v1/dead-letters',
    summary: 'Accepted predictions that nobody could handle, the newest first, of 14 days',
    query: json.deadLetterQuery,
    responses: { 200: pageOf(json.deadLetterJson) },
  },
  {
    ...control,
    id: 'tenant-dead-letter-list',
    method: 'GET',
    path: `${TENANT}/dead-letters`,
    summary: 'Accepted predictions of a tenant that nobody could handle, the newest first, of 14 days',
    role: 'tenant-admin',
    query: json.ownDeadLetterQuery,
    responses: { 200: pageOf(json.deadLetterJson) },
  },
  {
    ...control,
    id: 'dead-letter-redrive',
    method: 'POST',
    path: `${DEAD_LETTER}/redrive`,
    summary: 'Run it again as another prediction, which is paid for as any; sent twice it runs once',
    role: 'tenant-admin',
    responses: { 202: json.redrivenJson },
  },
  {
    ...control,
    id: 'dead-letter-discard',
    method: 'DELETE',
    path: DEAD_LETTER,
    summary: 'Forget it; it can no longer be run',
    role: 'tenant-admin',
    responses: { 204: 'empty' },
  },
  {
    ...control,
    id: 'audit-list',
    method: 'GET',
    path: '/control/v1/audit',
    summary: 'Who asked for what change, the newest first; a page may be short where little was found',
    query: json.auditQuery,
    responses: { 200: pageOf(json.auditJson) },
  },
  {
    ...control,
    id: 'tenant-audit-list',
    method: 'GET',
    path: `${TENANT}/audit`,
    summary: 'Who asked for what change to a tenant, the newest first; operators are named as such alone',
    role: 'tenant-admin',
    query: json.ownAuditQuery,
    responses: { 200: pageOf(json.auditJson) },
  },
  {
    ...control,
    id: 'audit-verify',
    method: 'GET',
    path: '/control/v1/audit/verification',
    summary: 'Walk the audit log and say where it was changed, cut or put in another order; takes up to 20 s',
    query: json.verificationQuery,
    responses: { 200: json.verificationJson },
  },
  {
    ...control,
    id: 'log-level-read',
    method: 'GET',
    path: '/control/v1/log-level',
    summary: 'What processes of the region log for a while, in place of what they were started with',
    responses: { 200: json.logLevelJson },
  },
  {
    ...control,
    id: 'log-level-put',
    method: 'PUT',
    path: '/control/v1/log-level',
    summary: 'Have every process of the region log from this level on, within a minute, for a while',
    body: json.logLevelBody,
    responses: { 200: json.logLevelJson },
  },
] as const satisfies readonly RouteShape[];
