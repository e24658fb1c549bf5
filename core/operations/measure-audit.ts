import type { ChainHead } from '../audit/entry.ts';
import { verifyTail } from '../audit/verify-chain.ts';
import type { Platform } from '../ports/platform.ts';
import { HOUR_MS } from '../units.ts';
import type { Measure } from './metric.ts';

/** A quarter of a MB, one read. */
const TAIL_ENTRIES = 500;

type AuditHost = Pick<Platform, 'audits' | 'clock' | 'log'>;

/**
 * Whether the end of the audit log holds, each time it is asked, against the head that it saw the time before: an end that was cut off with its head is found as long as
 * the process lives. What is broken is logged, and the head once an hour, so that the log has heads from outside of the store.
 */
export function createAuditMeasure(): (host: AuditHost, nowMs: number) => Promise<readonly Measure[]> {
  let known: ChainHead | undefined;
  let loggedHour = -1;
  return async (host, nowMs) => {
    const { ok, head, broken } = await verifyTail(host, TAIL_ENTRIES, known);
    if (broken !== undefined) host.log.warn('the audit log is broken', { seq: broken.seq, why: broken.why });
    else if (head !== undefined) known = head;
    const hour = Math.floor(nowMs / HOUR_MS);
    if (head !== undefined && hour !== loggedHour) {
      loggedHour = hour;
      host.log.info('head of the audit log', { seq: head.seq, hash: head.hash });
    }
    return [{ metric: 'audit_broken', of: {}, value: ok ? 0 : 1 }];
  };
}
