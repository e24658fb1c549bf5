import type { z } from 'zod';
import type { AuditEntry } from '../audit/entry.ts';
import type { Verification } from '../audit/verify-chain.ts';
import type { LoadedVersion, PoolState, WorkerState } from '../operations/read-pools.ts';
import type { DeadLetter } from '../ports/dead-letters.ts';
import type { LogLevelChange } from '../ports/log-levels.ts';
import { SECOND_MS } from '../units.ts';
import type { auditJson, deadLetterJson, logLevelJson, poolJson, verificationJson } from './operations-schemas.ts';

export type PoolJson = z.infer<typeof poolJson>;
export type DeadLetterJson = z.infer<typeof deadLetterJson>;
export type AuditJson = z.infer<typeof auditJson>;
export type LogLevelJson = z.infer<typeof logLevelJson>;
export type VerificationJson = z.infer<typeof verificationJson>;

export function poolToJson({ pool, lanes, workers }: PoolState, nowMs: number): PoolJson {
  return {
    pool,
    lanes: lanes.map(({ lane, depth, oldestMs }) => ({ lane, depth, oldest_s: secondsOf(oldestMs) })),
    workers: workers.map((worker) => workerToJson(worker, nowMs)),
  };
}

function workerToJson(worker: WorkerState, nowMs: number): PoolJson['workers'][number] {
  const { startedAtMs, usage } = worker;
  const gpu = usage?.gpu;
  return {
    worker: worker.worker,
    runners: worker.runners,
    busy: worker.busy ?? null,
    backlog_ms: worker.backlogMs,
    loaded: worker.loaded.map(loadedToJson),
    draining: worker.draining,
    memory_bytes: usage?.memoryBytes ?? null,
    cpu_share: usage?.cpuShare ?? null,
    gpu:
      gpu === undefined
        ? null
        : { busy_share: gpu.busyShare, memory_bytes: gpu.memoryBytes, total_bytes: gpu.totalBytes },
    up_s: secondsOf(startedAtMs === undefined ? undefined : Math.max(0, nowMs - startedAtMs)),
    at: isoOf(worker.atMs),
  };
}

function loadedToJson({ model, version, rowMs, breaker, warm }: LoadedVersion) {
  return { model, version, row_ms: rowMs ?? null, breaker, warm: warm ?? null };
}

export function deadLetterToJson({ atMs, model, version, ...letter }: DeadLetter): DeadLetterJson {
  return { ...letter, model: model ?? null, version: version ?? null, at: isoOf(atMs) };
}

/** `forTenant`: to whom an operator is nobody but that. */
export function auditToJson(entry: AuditEntry, forTenant = false): AuditJson {
  const { seq, atMs, by, role, tenant, action, target, outcome, reason, skipped, hash } = entry;
  const ended = outcome.kind === 'ended' ? outcome : undefined;
  const isOperator = role === 'operator' || role === 'admin';
  return {
    seq,
    at: isoOf(atMs),
    by: forTenant && isOperator ? 'operator' : by,
    role: forTenant && isOperator ? 'operator' : role,
    tenant: tenant ?? null,
    action,
    target,
    outcome: outcomeOf(ended?.status),
    status: ended?.status ?? null,
    code: ended?.code ?? null,
    reason: reason ?? null,
    skipped: skipped ?? null,
    hash,
  };
}

export function logLevelToJson(change: LogLevelChange | undefined): LogLevelJson {
  if (change === undefined) return { level: null, until: null, by: null };
  return { level: change.level, until: isoOf(change.untilMs), by: change.by };
}

export function verificationToJson(verification: Verification): VerificationJson {
  const { ok, entries, fromSeq, untilSeq, complete, head, broken } = verification;
  return {
    ok,
    entries,
    from_seq: fromSeq,
    until_seq: untilSeq,
    complete,
    head: head ?? null,
    broken_at_seq: broken?.seq ?? null,
    why: broken?.why ?? null,
  };
}

function outcomeOf(status: number | undefined): AuditJson['outcome'] {
  if (status === undefined) return 'begun';
  if (status < 400) return 'done';
  return status < 500 ? 'refused' : 'failed';
}

function secondsOf(ms: number | undefined): number | null {
  return ms === undefined ? null : Math.round(ms) / SECOND_MS;
}

function isoOf(atMs: number): string {
  return new Date(atMs).toISOString();
}
