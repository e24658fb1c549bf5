import type { Job, Outcome } from '../../core/inference/job.ts';
import type { Jobs } from '../../core/ports/jobs.ts';
import { aJob, floats } from '../support/jobs.ts';
import type { Case, Subject } from './contract.ts';

export type JobsCase = Case<Subject<Jobs>>;

export function durable(changes: Partial<Job> = {}): Job {
  return aJob({ durable: true, ...changes });
}

export function success(value: number): Outcome {
  return {
    kind: 'succeeded',
    version: '1',
    outputs: [floats('y', [1, 1], [value])],
    computeMs: 0.5,
    queueMs: 1.25,
    batchRows: 1,
    endedAtMs: 1,
  };
}

export function saidBy(outcome: Outcome | undefined): unknown {
  return outcome?.kind === 'succeeded'
    ? outcome.outputs[0]?.data[0]
    : outcome?.kind === 'failed'
      ? outcome.code
      : outcome;
}

export async function outcomeOf({ port, nowMs }: Subject<Jobs>, job: Job): Promise<unknown> {
  const record = await port.read(job.tenant, job.id, nowMs());
  return record?.state.kind === 'ended' ? saidBy(record.state.outcome) : record?.state.kind;
}
