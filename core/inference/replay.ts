import { Failure } from '../failure.ts';
import type { IdempotencyKey, IdempotencyRecord } from '../ports/idempotency.ts';
import type { Platform } from '../ports/platform.ts';
import { MINUTE_MS } from '../units.ts';
import type { Job } from './job.ts';
import type { InferAnswer, InferCall } from './request.ts';
import { encodeTensors } from './tensor-codec.ts';
import { accept, awaitOutcome, type Patience, RESULT_KEPT_MS, toAnswer } from './wait.ts';

/** How long a caller that made a claim is taken to be at work on it before a repeat may take over. */
const LEASE_MS = MINUTE_MS;

type ReplayPorts = Pick<Platform, 'idempotency' | 'jobs' | 'queue' | 'dataKeys' | 'webhooks' | 'clock'>;

/** A request's claim to be answered once: which key, and what it stands for. */
export type Claim = { readonly key: IdempotencyKey; readonly fingerprint: string };

/** The claim of a call that carries an Idempotency-Key. The fingerprint covers everything that can change the answer. */
export async function toClaim(ports: ReplayPorts, call: InferCall): Promise<Claim | undefined> {
  if (call.idempotencyKey === undefined) return undefined;
  const tenant = call.caller.tenant.id;
  const { outputs, inputs, clientId } = call.request;
  const head = JSON.stringify([
    call.model,
    call.version ?? null,
    clientId ?? null,
    outputs?.map(({ name }) => name) ?? null,
  ]);
  const sorted = [...inputs].sort((a, b) => (a.name < b.name ? -1 : 1));
  const bytes = concat(new TextEncoder().encode(head), encodeTensors(sorted));
  return {
    key: {
      tenant,
      principal: call.caller.principal.id,
      route: `infer/${call.model}/${call.version ?? ''}`,
      key: call.idempotencyKey,
    },
    fingerprint: await ports.dataKeys.fingerprint(tenant, bytes),
  };
}

/** The answer of the accepted job that holds this key, or undefined if the key is free. */
export async function replayOf(ports: ReplayPorts, claim: Claim, patience: Patience): Promise<InferAnswer | undefined> {
  const record = await ports.idempotency.read(claim.key, ports.clock.nowMs());
  return record === undefined ? undefined : replay(ports, claim, record, patience);
}

/**
 * Claims the key for a job that is durable already. If another caller was first, the own job is cancelled and the
 * winner's record returned, for `replay`.
 */
export async function claimFor(ports: ReplayPorts, claim: Claim, job: Job): Promise<IdempotencyRecord | undefined> {
  const nowMs = ports.clock.nowMs();
  const record = {
    fingerprint: claim.fingerprint,
    jobId: job.id,
    leaseUntilMs: nowMs + LEASE_MS,
    expiresAtMs: nowMs + RESULT_KEPT_MS,
  };
  const answer = await ports.idempotency.claim(claim.key, record, nowMs);
  if (answer === 'claimed') return undefined;
  // Nobody ever hears of it: its caller gets the winner's answer.
  if (job.notify) await ports.jobs.markNotified(job.tenant, job.id);
  await ports.jobs.cancel(job.tenant, job.id, nowMs);
  return answer;
}

/** The answer of the job that `record` names. `idempotency-key-reused`, `idempotency-in-flight`, or the job's own failure. */
export async function replay(
  ports: ReplayPorts,
  claim: Claim,
  record: IdempotencyRecord,
  patience: Patience,
): Promise<InferAnswer> {
  if (record.fingerprint !== claim.fingerprint)
    throw new Failure('idempotency-key-reused', { field: 'Idempotency-Key' });
  const nowMs = ports.clock.nowMs();
  const found = await ports.jobs.read(claim.key.tenant, record.jobId, nowMs);
  if (found === undefined)
    throw new Failure('prediction-unknown', { detail: 'the result of this Idempotency-Key has expired' });
  if (found.state.kind === 'ended') return toAnswer(found.job, found.state.outcome, true);
  if (
    nowMs < record.leaseUntilMs ||
    !(await ports.idempotency.renew(claim.key, record.jobId, nowMs + LEASE_MS, nowMs))
  ) {
    throw new Failure('idempotency-in-flight', { retryAfterMs: 1000, predictionId: record.jobId });
  }
  await ports.queue.send(found.job);
  const outcome = await awaitOutcome(ports, found.job, patience);
  return outcome === undefined ? accept(ports, found.job) : toAnswer(found.job, outcome, true);
}

function concat(head: Uint8Array, tail: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(head.length + tail.length);
  bytes.set(head);
  bytes.set(tail, head.length);
  return bytes;
}
