import { Failure } from '../failure.ts';
import type { Platform } from '../ports/platform.ts';
import type { Recording } from '../quality/recorder.ts';
import { DAY_MS, SECOND_MS } from '../units.ts';
import type { Job, Outcome } from './job.ts';
import type { InferAnswer } from './request.ts';
import type { PlaceToWait } from './waiting-handlers.ts';

/** Results of accepted jobs are kept this long. */
export const RESULT_KEPT_MS = DAY_MS;
/** Polling pays request rate: asking more often than this gains nothing. */
const POLL_AFTER_MS = SECOND_MS;

type WaitPorts = Pick<Platform, 'jobs' | 'queue' | 'webhooks' | 'clock'> & Recording;

type AwaitedJob = Pick<Job, 'tenant' | 'id' | 'durable'>;

export type Patience = {
  readonly untilMs: number;
  readonly signal: AbortSignal | undefined;
  /** What has to be taken to wait long; undefined where nothing has. */
  readonly place: PlaceToWait | undefined;
};

/**
 * Waits for a sent job and answers: its outputs, its failure (thrown), or 202 once patience ends, by which time the
 * job is durable. If the caller goes away, a job that was not accepted is cancelled.
 */
export async function awaitAnswer(ports: WaitPorts, job: Job, patience: Patience): Promise<InferAnswer> {
  const outcome = await awaitOutcome(ports, job, patience, Math.min(patience.untilMs, job.deadlineMs));
  if (outcome !== undefined) return toAnswer(job, outcome, false);
  if (job.durable) return patience.signal?.aborted ? pending(job) : accept(ports, job);
  const nowMs = ports.clock.nowMs();
  if (patience.signal?.aborted || nowMs >= job.deadlineMs) {
    const isGone = patience.signal?.aborted === true;
    // Who ends it first counts it.
    if ((await ports.jobs.cancel(job.tenant, job.id, nowMs)) === 'cancelled')
      ports.recorder.jobRefused(job, isGone ? 'prediction-cancelled' : 'prediction-expired');
    if (isGone) throw new Failure('prediction-cancelled', { predictionId: job.id });
    throw new Failure('prediction-expired');
  }
  return acceptLate(ports, job);
}

/** The outcome of a sent job, or undefined once patience ends, which it does too where all places to wait are taken. */
export function awaitOutcome(
  ports: Pick<Platform, 'jobs' | 'clock'>,
  job: AwaitedJob,
  patience: Patience,
  untilMs = patience.untilMs,
): Promise<Outcome | undefined> {
  const { signal, place } = patience;
  if (place === undefined) return ports.jobs.wait(job, untilMs, signal);
  return awaitInPlace(ports, job, { untilMs, signal, place });
}

async function awaitInPlace(
  { jobs, clock }: Pick<Platform, 'jobs' | 'clock'>,
  job: AwaitedJob,
  { untilMs, signal, place }: Patience & { readonly place: PlaceToWait },
): Promise<Outcome | undefined> {
  const freeUntilMs = Math.min(untilMs, clock.nowMs() + place.freeMs);
  if (place.freeMs > 0) {
    const soon = await jobs.wait(job, freeUntilMs, signal);
    if (soon !== undefined || signal?.aborted || freeUntilMs === untilMs) return soon;
  }
  // Where that cannot be told there is none: who is told to come back loses nothing.
  const taken = await place.places.take(job.tenant, place.limit, untilMs, clock.nowMs()).catch(() => undefined);
  if (taken === undefined) return undefined;
  try {
    return await jobs.wait(job, untilMs, signal);
  } finally {
    // What cannot be given back ends by itself.
    await taken.leave(clock.nowMs()).catch(() => {});
  }
}

/** A synchronous job whose answer turns into 202: durable first, then accepted. */
async function acceptLate(ports: WaitPorts, job: Job): Promise<InferAnswer> {
  const durable: Job = { ...job, durable: true };
  await ports.jobs.create(durable, ports.clock.nowMs() + RESULT_KEPT_MS);
  await ports.queue.persist(durable);
  await ports.jobs.markQueued(job.tenant, job.id);
  const record = await ports.jobs.read(job.tenant, job.id, ports.clock.nowMs());
  return record?.state.kind === 'ended' ? toAnswer(job, record.state.outcome, false) : accept(ports, job);
}

/** 202 for a job that is durable and was not meant to come to that: from now on webhooks tell of its end, as of any accepted one. */
export async function accept(ports: Pick<Platform, 'jobs' | 'webhooks'>, job: Job): Promise<InferAnswer> {
  if (!job.notify && !(await ports.webhooks.isEmpty(job.tenant))) await ports.jobs.requestNotice(job);
  return pending(job);
}

/** 202; `startMs` is the time until a pool without workers has one, before which nobody need ask. */
export function pending(
  job: Pick<Job, 'id' | 'model' | 'requestedModel' | 'version' | 'degraded'>,
  startMs = 0,
): InferAnswer {
  return {
    kind: 'accepted',
    id: job.id,
    version: job.version,
    variant: variantOf(job),
    degraded: job.degraded,
    retryAfterMs: Math.max(POLL_AFTER_MS, startMs),
  };
}

/** The outputs, or the job's failure thrown. */
export function toAnswer(
  job: Pick<Job, 'id' | 'model' | 'requestedModel' | 'clientId' | 'degraded'>,
  outcome: Outcome,
  replayed: boolean,
): InferAnswer {
  if (outcome.kind === 'failed') throw new Failure(outcome.code, { ...outcome.facts, predictionId: job.id });
  return {
    kind: 'answered',
    id: job.id,
    model: job.requestedModel,
    variant: variantOf(job),
    clientId: job.clientId,
    version: outcome.version,
    outcome,
    replayed,
    degraded: job.degraded,
  };
}

function variantOf({ model, requestedModel }: Pick<Job, 'model' | 'requestedModel'>): string | undefined {
  return model === requestedModel ? undefined : model;
}
