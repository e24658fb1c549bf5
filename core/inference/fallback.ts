import { asFailure, Failure, type FailureCode } from '../failure.ts';
import type { Fallback } from '../models/manifest.ts';
import { choosePool } from './choose-pool.ts';
import type { ChosenVersion, ServingVersion, VersionChooser } from './choose-version.ts';
import { type Degradation, degradationFor } from './degradation.ts';
import { type Placement, placeJob } from './place-job.ts';
import type { InferAnswer, InferCall, Prefer } from './request.ts';
import { LONGEST_WAIT_MS, PoolCold, type Submission, submit } from './submit.ts';

type FallbackHost = Submission & { readonly chooser: Pick<VersionChooser, 'stableOf'> };

/** Of a caller that waits already: it is one connection, however many models are asked for its answer. */
const SAME_PLACE: Submission['waiting'] = { enter: () => true, leave: () => {}, placeFor: () => undefined };

/** Refusals before there is a job of the version: nobody has counted the request. */
const UNCOUNTED: ReadonlySet<FailureCode> = new Set(['overloaded', 'pool-unavailable', 'input-quarantined']);

/** A call of a version that has a fallback. */
type Guarded = {
  readonly call: InferCall;
  readonly serving: ChosenVersion;
  readonly fallback: Fallback;
  readonly arrivedMs: number;
};

/**
 * `submit`, and if that fails for a reason that is not the caller's, or takes longer than `afterMs`, the answer of the
 * version's fallback, marked with why. If the fallback fails too, the failure of the model that was asked is told.
 *
 * - The fallback is asked as the same caller would ask it, under the same quotas and with the same time; it needs not be
 *   in the caller's plan or credential, for it answers in the name of a model that is. Its own fallback is not used.
 * - After `afterMs` both run; the first answer counts and the other job is cancelled. What it loaded stays loaded.
 * - Who waits is not made to wait for a pool that has no workers: the fallback answers at once, marked `cold`, and the pool is
 *   woken. Unless the fallback would be as cold, or the pool is about to serve: then the model itself is asked.
 * - A prediction that was accepted (202) and fails later reports its failure: nobody waits whom a lesser answer would serve
 *   better than the truth. Refused at admission, it is accepted for the fallback model, or answered at once where the
 *   answer is fixed.
 * - Only the outcome of an accepted job is replayed. A degraded answer is none: the fallback knows nothing of the
 *   Idempotency-Key, and a repeat gets what the model itself has come to since, or a degraded answer again.
 * - Degraded answers are neither read from a cache nor kept in one.
 */
export async function submitOrFallBack(
  host: FallbackHost,
  call: InferCall,
  serving: ChosenVersion,
  fallback: Fallback,
): Promise<InferAnswer> {
  const guarded = { call, serving, fallback, arrivedMs: host.ports.clock.nowMs() };
  if (fallback.afterMs !== undefined) return answerWithin(host, guarded, fallback.afterMs);
  try {
    return await submit(host, call, serving, 'yield');
  } catch (error) {
    return answerInstead(host, guarded, error);
  }
}

async function answerInstead(host: FallbackHost, guarded: Guarded, error: unknown): Promise<InferAnswer> {
  if (error instanceof PoolCold) {
    const insist = () => submit(host, guarded.call, guarded.serving);
    return (await canAnswer(host, guarded)) ? giveInstead(host, guarded, 'cold', error).catch(insist) : insist();
  }
  const reason = degradationFor(error);
  if (reason === undefined) throw error;
  return giveInstead(host, guarded, reason, error).catch(() => {
    throw error;
  });
}

/** `cause`: why the version itself does not answer. */
async function giveInstead(
  host: FallbackHost,
  guarded: Guarded,
  reason: Degradation,
  cause: unknown,
): Promise<InferAnswer> {
  const answer = await degradedAnswer(host, guarded, reason);
  countInstead(host, guarded, isCounted(cause));
  return answer;
}

function countInstead({ ports }: FallbackHost, { call, serving }: Guarded, isCounted: boolean): void {
  ports.recorder.fellBack(serving.version, call.caller.tenant.id, isCounted);
}

/** True if the request is counted for the version that did not answer it. */
function isCounted(cause: unknown): boolean {
  return !(cause instanceof PoolCold || UNCOUNTED.has(asFailure(cause).code));
}

async function answerWithin(host: FallbackHost, guarded: Guarded, afterMs: number): Promise<InferAnswer> {
  const { clock } = host.ports;
  const over = new AbortController();
  const end = () => over.abort();
  const { signal } = guarded.call;
  if (signal?.aborted) end();
  signal?.addEventListener('abort', end, { once: true });
  const raced = { ...guarded, call: { ...guarded.call, signal: over.signal } };
  try {
    const primary = submit(host, raced.call, raced.serving, 'yield');
    const isLate = clock.sleep(afterMs, over.signal).then(
      () => true,
      () => false,
    );
    const inTime = primary.then(
      () => false,
      () => false,
    );
    if (await Promise.race([inTime, isLate])) return await answerFirst(host, raced, primary);
    return await primary.catch((error: unknown) => answerInstead(host, raced, error));
  } finally {
    signal?.removeEventListener('abort', end);
    end();
  }
}

async function answerFirst(host: FallbackHost, guarded: Guarded, primary: Promise<InferAnswer>): Promise<InferAnswer> {
  // Where that cannot be told, the answer is only late.
  const reason = (await isCold(host, guarded).catch(() => false)) ? 'cold' : 'slow';
  if (reason === 'cold') void primary.catch((error: unknown) => freePlace(host, guarded.call, error)).catch(() => {});
  // Where both fail, what became of the model that was asked.
  const instead = degradedAnswer({ ...host, waiting: SAME_PLACE }, guarded, reason);
  const insist = (error: unknown) => {
    if (error instanceof PoolCold) return submit(host, guarded.call, guarded.serving);
    throw error;
  };
  const answer = await Promise.any([primary, instead]).catch(() => primary.catch(insist));
  if (answer.degraded !== undefined) {
    const counted = primary.then(() => true, isCounted);
    void counted.then((isCounted) => countInstead(host, guarded, isCounted));
  }
  return answer;
}

/** True if no runner of the pool has the version loaded. */
async function isCold(host: FallbackHost, { call, serving }: Guarded): Promise<boolean> {
  const { model, version } = serving.version;
  const { backlog } = await placementOf(host, call, serving, host.ports.clock.nowMs());
  return !backlog.reports.some(({ loaded }) => loaded.includes(`${model}@${version}`));
}

/** False if the fallback is a model whose pool has no workers either. */
async function canAnswer(host: FallbackHost, { call, fallback, arrivedMs }: Guarded): Promise<boolean> {
  if ('outputs' in fallback) return true;
  try {
    const serving = await host.chooser.stableOf(fallback.model, arrivedMs);
    return (await placementOf(host, call, serving, arrivedMs)).startMs === 0;
  } catch {
    return false;
  }
}

function placementOf(
  host: FallbackHost,
  { caller }: InferCall,
  { version }: ServingVersion,
  nowMs: number,
): Placement | Promise<Placement> {
  const pool = choosePool(host.ports.config.pools, caller.tenant, version.manifest);
  return placeJob(host, pool, 'interactive', nowMs);
}

/** What was cancelled while its model loads would hold its place in flight until that is done: it never ran. */
async function freePlace({ ports }: FallbackHost, { caller }: InferCall, error: unknown): Promise<void> {
  if (!(error instanceof Failure) || error.code !== 'prediction-cancelled') return;
  const { predictionId } = error.facts;
  if (typeof predictionId === 'string')
    await ports.limits.settle(caller.tenant.id, predictionId, 0, ports.clock.nowMs());
}

async function degradedAnswer(host: FallbackHost, guarded: Guarded, reason: Degradation): Promise<InferAnswer> {
  const { call, fallback, arrivedMs } = guarded;
  if ('outputs' in fallback) return fixedAnswer(host, guarded, reason);
  const nowMs = host.ports.clock.nowMs();
  const serving = await host.chooser.stableOf(fallback.model, nowMs);
  const prefer = leftOf(call.prefer, nowMs - arrivedMs);
  const asked: InferCall = { ...call, prefer, idempotencyKey: undefined, caching: 'avoid', degraded: reason };
  return { ...(await submit(host, asked, serving)), degraded: reason };
}

async function fixedAnswer(host: FallbackHost, guarded: Guarded, degraded: Degradation): Promise<InferAnswer> {
  const { call, serving } = guarded;
  const { rows, outputs } = await serving.validate(call.request);
  const { version } = serving.version;
  return {
    kind: 'answered',
    id: `pred_${crypto.randomUUID().replaceAll('-', '')}`,
    model: call.model,
    variant: serving.version.model === call.model ? undefined : serving.version.model,
    clientId: call.request.clientId,
    version,
    outcome: {
      kind: 'succeeded',
      version,
      outputs: serving.fixedAnswer!(rows, outputs),
      computeMs: 0,
      queueMs: 0,
      batchRows: 0,
      endedAtMs: host.ports.clock.nowMs(),
    },
    replayed: false,
    degraded,
  };
}

/** What is left of the caller's patience. Who asked for 202 at once has none. */
function leftOf(prefer: Prefer, elapsedMs: number): Prefer {
  const { respondAsync, waitMs } = prefer;
  if (respondAsync && waitMs === undefined) return prefer;
  return { respondAsync, waitMs: Math.max(0, Math.min(waitMs ?? LONGEST_WAIT_MS, LONGEST_WAIT_MS) - elapsedMs) };
}
