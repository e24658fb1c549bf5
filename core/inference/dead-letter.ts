import type { Failure, FailureCode } from '../failure.ts';
import type { DeadLetter, DeadLetters } from '../ports/dead-letters.ts';
import type { Jobs } from '../ports/jobs.ts';
import { DAY_MS } from '../units.ts';
import type { Job } from './job.ts';

export const DEAD_LETTER_ID = /^dl_[0-9a-f]{32}$/;

/** As long as a queue of AWS keeps its own. */
export const DEAD_LETTER_KEPT_MS = 14 * DAY_MS;

/** Failures of accepted predictions that are ours: nothing is wrong with what was asked, so that it may be run once the cause is mended. */
const OURS: ReadonlySet<FailureCode> = new Set([
  'internal',
  'model-load-failed',
  'artifact-missing',
  'artifact-damaged',
  'record-damaged',
  'storage-unavailable',
  'storage-misconfigured',
  'version-unavailable',
]);

/** A job that nobody could handle. `job` is undefined where it cannot be read. */
export type GivenUp = Pick<Job, 'tenant' | 'id' | 'pool' | 'lane'> & {
  readonly job: Job | undefined;
  readonly failure: Failure;
  readonly attempts: number;
};

/** Ids of predictions are unguessable, and so are those of letters. */
export function deadLetterId(prediction: string): string {
  return `dl_${prediction.replace(/^pred_/, '')}`;
}

export function isOurFailure({ code }: Failure): boolean {
  return OURS.has(code);
}

/** Undefined: its caller waits for it and is told, so that there is nothing to keep; or it is nobody's, as a copy is, or was erased. */
export function toDeadLetter(givenUp: GivenUp, nowMs: number): DeadLetter | undefined {
  const { tenant, id, pool, lane, job, failure, attempts } = givenUp;
  if (failure.code === 'data-erased') return undefined;
  if (job !== undefined && (!job.durable || job.shadow !== undefined)) return undefined;
  const known = { model: job?.requestedModel, version: job?.version, redrivable: job !== undefined };
  const letter = { id: deadLetterId(id), tenant, prediction: id, pool, lane, reason: failure.code };
  return { ...letter, ...known, attempts, atMs: Math.floor(nowMs) };
}

type GiveUpPorts = {
  readonly deadLetters: Pick<DeadLetters, 'add'>;
  readonly jobs: Pick<Jobs, 'read'> & { endUndeliverable(tenant: string, id: string, failure: Failure): Promise<void> };
};

/** Keeps what a queue gives up, then ends its job, unless that has ended otherwise: in this order, so that a crash between the two repeats both. */
export async function giveUp({ deadLetters, jobs }: GiveUpPorts, givenUp: GivenUp, nowMs: number): Promise<void> {
  const { tenant, id, job, failure } = givenUp;
  const letter = toDeadLetter(givenUp, nowMs);
  if (letter !== undefined && !(await hasEndedOtherwise(jobs, givenUp, nowMs))) await deadLetters.add(letter, job);
  await jobs.endUndeliverable(tenant, id, failure);
}

async function hasEndedOtherwise(jobs: Pick<Jobs, 'read'>, { tenant, id, failure }: GivenUp, nowMs: number) {
  // What cannot be read has not ended: its job is given up with it.
  const record = await jobs.read(tenant, id, nowMs).catch(() => undefined);
  if (record?.state.kind !== 'ended') return false;
  const { outcome } = record.state;
  return outcome.kind === 'succeeded' || outcome.code !== failure.code;
}
