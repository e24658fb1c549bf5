import { pageToJson } from '../../core/api/control-json.ts';
import { auditToJson, verificationToJson } from '../../core/api/operations-json.ts';
import { type AuditQuery, listAudit } from '../../core/audit/read-audit.ts';
import { verifyChain } from '../../core/audit/verify-chain.ts';
import { readTenant } from '../../core/tenancy/manage-tenants.ts';
import { SECOND_MS } from '../../core/units.ts';
import type { HttpHandler } from '../middleware/http-handler.ts';
import { endpoint } from './endpoint.ts';
import type { HttpHost } from './host.ts';

/** API Gateway ends a buffered answer at 29 s. */
const VERIFY_MS = 20 * SECOND_MS;

export function getAudit(host: HttpHost): HttpHandler {
  return endpoint(host, 'audit-list', async ({ query: { limit, cursor, ...asked } }) => {
    const page = await listAudit(host.audits, toQuery(asked), limit, cursor);
    return { status: 200, body: pageToJson(page, (entry) => auditToJson(entry)) };
  });
}

export function getTenantAudit(host: HttpHost): HttpHandler {
  return endpoint(host, 'tenant-audit-list', async ({ params, query: { limit, cursor, ...asked } }) => {
    const { id: tenant } = await readTenant(host, params.tenant);
    const page = await listAudit(host.audits, toQuery({ ...asked, tenant }), limit, cursor);
    return { status: 200, body: pageToJson(page, (entry) => auditToJson(entry, true)) };
  });
}

export function getAuditVerification(host: HttpHost): HttpHandler {
  return endpoint(host, 'audit-verify', async ({ query }) => {
    const [seq, hash = ''] = query.known?.split(':') ?? [];
    const known = seq === undefined ? undefined : { seq: Number(seq), hash };
    const untilMs = host.clock.nowMs() + VERIFY_MS;
    const verification = await verifyChain(host, { fromSeq: query.from_seq, untilMs, known });
    return { status: 200, body: verificationToJson(verification) };
  });
}

type Asked = {
  readonly from?: string | undefined;
  readonly until?: string | undefined;
  readonly by?: string | undefined;
  readonly action?: string | undefined;
  readonly tenant?: string | undefined;
};

function toQuery({ from, until, ...others }: Asked): AuditQuery {
  const msOf = (at: string | undefined) => (at === undefined ? undefined : Date.parse(at));
  return { ...others, fromMs: msOf(from), untilMs: msOf(until) };
}
