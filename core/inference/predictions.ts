import { Failure } from '../failure.ts';
import type { Platform } from '../ports/platform.ts';
import type { Recording } from '../quality/recorder.ts';
import type { JobRecord } from './job.ts';
import type { Caller, InferAnswer } from './request.ts';
import { awaitOutcome, type Patience, pending, toAnswer } from './wait.ts';

type PredictionPorts = Pick<Platform, 'jobs' | 'limits' | 'clock'>;

/**
 * An accepted prediction, waiting for it if asked to. Throws the prediction's own failure, or `prediction-unknown`
 * also where it is another tenant's or, for a browser token, another user's.
 */
export async function readPrediction(
  ports: PredictionPorts,
  caller: Caller,
  id: string,
  patience: Patience,
): Promise<InferAnswer> {
  const record = await readOwn(ports, caller, id);
  if (record.state.kind === 'ended') return toAnswer(record.job, record.state.outcome, false);
  if (patience.untilMs <= ports.clock.nowMs()) return pending(record.job);
  const outcome = await awaitOutcome(ports, record.job, patience);
  return outcome === undefined ? pending(record.job) : toAnswer(record.job, outcome, false);
}

/** Cancels an accepted prediction unless it has ended. Throws `prediction-unknown` as `readPrediction` does. */
export async function cancelPrediction(
  ports: PredictionPorts & Recording,
  caller: Caller,
  id: string,
): Promise<'cancelled' | 'ended'> {
  const { job, state } = await readOwn(ports, caller, id);
  const nowMs = ports.clock.nowMs();
  const answer = await ports.jobs.cancel(caller.tenant.id, id, nowMs);
  if (answer === 'unknown') throw new Failure('prediction-unknown', { field: 'id' });
  if (answer === 'cancelled') ports.recorder.jobRefused(job, 'prediction-cancelled');
  // What had not started costs nothing and frees its place at once: no worker may ever see it. Who runs it settles the rest.
  if (answer === 'cancelled' && state.kind !== 'running') await ports.limits.settle(caller.tenant.id, id, 0, nowMs);
  return answer;
}

async function readOwn(ports: PredictionPorts, caller: Caller, id: string): Promise<JobRecord> {
  const record = await ports.jobs.read(caller.tenant.id, id, ports.clock.nowMs());
  const foreign = caller.principal.user !== undefined && record?.job.principal !== caller.principal.id;
  if (record === undefined || foreign) throw new Failure('prediction-unknown', { field: 'id' });
  return record;
}
