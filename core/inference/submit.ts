import { asFailure, Failure } from '../failure.ts';
import type { Platform } from '../ports/platform.ts';
import type { Recording } from '../quality/recorder.ts';
import type { Quota } from '../tenancy/quota.ts';
import { DAY_MS, MINUTE_MS, SECOND_MS } from '../units.ts';
import { type LoadShedder, reserveFor, shed } from './admit.ts';
import { captureUntilMs } from './capture.ts';
import { choosePool } from './choose-pool.ts';
import type { ChosenVersion } from './choose-version.ts';
import type { Job } from './job.ts';
import { type Placement, placeJob } from './place-job.ts';
import { newPredictionId } from './prediction-id.ts';
import { quarantineBytes } from './quarantine-bytes.ts';
import { type Claim, claimFor, replay, replayOf, toClaim } from './replay.ts';
import type { InferAnswer, InferCall, Prefer } from './request.ts';
import { answerFromCache, cacheUse, keepAnswer } from './response-cache.ts';
import type { ValidatedInputs } from './validate-inputs.ts';
import { awaitAnswer, type Patience, pending, RESULT_KEPT_MS } from './wait.ts';
import type { WaitingHandlers } from './waiting-handlers.ts';

/** API Gateway ends a buffered answer at 29 s; 202 leaves before that. Embedded keeps the same promise. */
export const LONGEST_WAIT_MS = 25 * SECOND_MS;
/** Deadline of a job that somebody waits for, unless the request says otherwise. */
const INTERACTIVE_DEADLINE_MS = 30 * SECOND_MS;
/**
 * Deadline of a job that nobody waits for, and of one whose pool has to start first: that one is accepted, its caller comes
 * back for it. It counts from when the pool should serve, so that a start which fails once, or takes several times as long as
 * the last ones, loses nothing.
 */
const BULK_DEADLINE_MS = 15 * MINUTE_MS;
const LONGEST_DEADLINE_MS = DAY_MS;

type SubmitPorts = Pick<
  Platform,
  | 'config'
  | 'limits'
  | 'capacity'
  | 'wake'
  | 'queue'
  | 'jobs'
  | 'idempotency'
  | 'quarantine'
  | 'dataKeys'
  | 'answers'
  | 'webhooks'
  | 'clock'
> &
  Recording;

/** The pool has no worker: for who can answer otherwise, never told to a caller. */
export class PoolCold extends Error {}

/** What a host keeps between requests. */
export type Submission = {
  readonly ports: SubmitPorts;
  readonly quota: Quota;
  readonly shedder: LoadShedder;
  readonly waiting: Pick<WaitingHandlers, 'enter' | 'leave' | 'placeFor'>;
};

/**
 * The way of one request from a chosen version to its answer: validate → cache → idempotency → pool → quarantine → rows, compute
 * and a place in flight → shed → queue → wait. What is refused before it was accepted leaves nothing behind.
 *
 * Where no worker of the pool reports, the pool is woken and the job accepted: durable, answered with 202 and the time until
 * the pool should serve, unless its caller waits that long. A caller's own deadline is kept: if the start would outlast
 * it, the request is refused with `overloaded`, and the pool is woken all the same. With `yield` it throws `PoolCold`, and has
 * done nothing but wake the pool, where its caller waits for an answer and would be told to come back.
 */
export async function submit(
  host: Submission,
  call: InferCall,
  serving: ChosenVersion,
  whenCold: 'accept' | 'yield' = 'accept',
): Promise<InferAnswer> {
  const { ports } = host;
  const arrivedMs = ports.clock.nowMs();
  const checked = serving.validate(call.request);
  const inputs = checked instanceof Promise ? await checked : checked;
  const bulk = asksToBeLate(call.prefer);
  const cached = cacheUse(call, serving.version, bulk);
  if (cached !== undefined) {
    const hit = await answerFromCache(ports, cached);
    if (hit !== undefined) {
      ports.recorder.cacheHit(serving.version, call.caller.tenant.id);
      return hit;
    }
  }
  const place = host.waiting.placeFor(call.caller);
  const patience: Patience = { untilMs: arrivedMs + waitMsOf(call.prefer), signal: call.signal, place };
  const claim = call.idempotencyKey === undefined ? undefined : await toClaim(ports, call);
  if (claim !== undefined) {
    const replayed = await replayOf(ports, claim, patience);
    if (replayed !== undefined) return replayed;
  }
  const pool = choosePool(ports.config.pools, call.caller.tenant, serving.version.manifest);
  const placed = placeJob(host, pool, bulk ? 'bulk' : 'interactive', arrivedMs);
  const placement = placed instanceof Promise ? await placed : placed;
  const { startMs } = placement;
  const isInTime = arrivedMs + startMs <= patience.untilMs;
  if (whenCold === 'yield' && !isInTime && !bulk) throw new PoolCold();
  const waits = !bulk && isInTime && host.waiting.enter(call.caller);
  try {
    const notify = !waits && !(await ports.webhooks.isEmpty(call.caller.tenant.id));
    const job = toJob(call, serving, inputs, {
      placement,
      bulk,
      notify,
      durable: !waits || claim !== undefined || startMs > 0,
      arrivedMs,
    });
    if (ports.quarantine.isEmpty(job.tenant) !== true) await refuseQuarantined(ports, job);
    const admitted = admit(host, call, { job, placement, nowMs: arrivedMs });
    if (admitted !== undefined) await admitted;
    if (job.durable) {
      const earlier = await sendDurable(ports, job, claim, patience);
      if (earlier !== undefined) return earlier;
    } else {
      const sent = ports.queue.send(job);
      if (sent !== undefined) await settleIfNotSent(ports, job, sent);
    }
    const answer = waits ? await awaitAnswer(ports, job, patience) : pending(job, startMs);
    return cached === undefined ? answer : keepAnswer(ports, cached, answer);
  } finally {
    if (waits) host.waiting.leave(call.caller);
  }
}

/**
 * Refuses what is left alone, takes compute and a place in flight, sheds, then takes rows: rows cannot be given back, so who
 * is refused for another reason does not pay them. Without a promise where all is at hand.
 */
function admit(host: Submission, call: InferCall, admission: Admission): void | Promise<void> {
  const { job, placement, nowMs } = admission;
  try {
    // A candidate that keeps failing is no reason to refuse who did not ask for it: workers have stable answer.
    if (job.onCandidate !== true) host.shedder.checkBreaker(placement.backlog, job, nowMs);
  } catch (error) {
    host.ports.recorder.jobRefused(job, asFailure(error).code);
    throw error;
  }
  const reserved = reserveFor(host.ports, job, call.caller.limits, nowMs);
  const goOn = () => shedAndTakeRows(host, call, admission);
  return reserved === undefined ? goOn() : reserved.then(goOn);
}

type Admission = { readonly job: Job; readonly placement: Placement; readonly nowMs: number };

/** What is refused here gets its reservation back. */
function shedAndTakeRows(host: Submission, call: InferCall, admission: Admission): void | Promise<void> {
  const { job, placement, nowMs } = admission;
  const giveBack = async (error: unknown) => {
    await host.ports.limits.settle(job.tenant, job.id, 0, nowMs);
    throw error;
  };
  try {
    shed(placement.backlog, job, nowMs, placement.startMs);
    const rows = host.quota.takeRows(call.caller, job.rows, nowMs);
    return rows instanceof Promise ? rows.then(() => undefined, giveBack) : undefined;
  } catch (error) {
    return giveBack(error);
  }
}

async function settleIfNotSent(ports: SubmitPorts, job: Job, sent: Promise<void>): Promise<void> {
  try {
    await sent;
  } catch (error) {
    await ports.limits.settle(job.tenant, job.id, 0, ports.clock.nowMs());
    throw error;
  }
}

/**
 * Durable before it is sent, claimed before it is sent; returns an earlier job's answer if the key was taken meanwhile.
 * If it fails half way the sweeper decides by what was written; the caller is told nothing but the failure.
 */
async function sendDurable(
  ports: SubmitPorts,
  job: Job,
  claim: Claim | undefined,
  patience: Patience,
): Promise<InferAnswer | undefined> {
  await ports.jobs.create(job, job.deadlineMs + RESULT_KEPT_MS);
  const winner = claim === undefined ? undefined : await claimFor(ports, claim, job);
  if (claim !== undefined && winner !== undefined) {
    // Before the winner's answer, which may be a failure: what never ran is not charged.
    await ports.limits.settle(job.tenant, job.id, 0, ports.clock.nowMs());
    return replay(ports, claim, winner, patience);
  }
  await ports.queue.send(job);
  await ports.jobs.markQueued(job.tenant, job.id);
  return undefined;
}

async function refuseQuarantined(ports: SubmitPorts, job: Job): Promise<void> {
  if (await ports.quarantine.isEmpty(job.tenant)) return;
  const fingerprint = await ports.dataKeys.fingerprint(job.tenant, quarantineBytes(job));
  if (await ports.quarantine.has(job.tenant, fingerprint, ports.clock.nowMs())) throw new Failure('input-quarantined');
}

/** True if nobody waits for the answer: 202 was asked for, at once. */
function asksToBeLate({ respondAsync, waitMs = 0 }: Prefer): boolean {
  return respondAsync && waitMs === 0;
}

/** How long a caller waits for an answer before it is told 202. */
function waitMsOf(prefer: Prefer): number {
  return asksToBeLate(prefer) ? 0 : Math.min(prefer.waitMs ?? LONGEST_WAIT_MS, LONGEST_WAIT_MS);
}

type Circumstances = {
  readonly placement: Placement;
  readonly bulk: boolean;
  readonly notify: boolean;
  readonly durable: boolean;
  readonly arrivedMs: number;
};

function toJob(
  call: InferCall,
  { version, assigned, pinned }: ChosenVersion,
  inputs: ValidatedInputs,
  { placement, bulk, notify, durable, arrivedMs }: Circumstances,
): Job {
  const { caller, request } = call;
  const { manifest } = version;
  const { pool, startMs } = placement;
  const deadline = request.timeoutMs ?? startMs + (bulk || startMs > 0 ? BULK_DEADLINE_MS : INTERACTIVE_DEADLINE_MS);
  const id = assigned?.id ?? newPredictionId();
  return {
    id,
    tenant: caller.tenant.id,
    principal: caller.principal.id,
    model: version.model,
    requestedModel: call.model,
    version: version.version,
    versionNamed: call.version !== undefined || pinned === true,
    pool,
    lane: bulk ? 'bulk' : 'interactive',
    inputs: inputs.inputs,
    outputs: inputs.outputs,
    clientId: request.clientId,
    rows: inputs.rows,
    acceptedAtMs: arrivedMs,
    deadlineMs: arrivedMs + Math.min(deadline, LONGEST_DEADLINE_MS),
    weight: caller.limits.weight,
    reservedComputeMs: inputs.rows * manifest.maxComputeMsPerRow,
    durable,
    notify,
    captureUntilMs: captureUntilMs(caller.tenant, manifest, id.slice('pred_'.length), arrivedMs),
    traceparent: call.traceparent,
    degraded: call.degraded,
    ...assigned?.assignment,
  };
}
