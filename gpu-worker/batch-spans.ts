import type { FailureCode } from '../core/failure.ts';
import type { Job } from '../core/inference/job.ts';
import type { Work } from '../core/inference/work.ts';
import type { Spans, TraceContext } from '../core/ports/spans.ts';
import { childOf, contextIn, isSampledIn } from '../core/trace/trace-context.ts';

export type RunOfBatch = {
  readonly works: readonly Pick<Work, 'job'>[];
  /** `model@version`. */
  readonly version: string;
  readonly startedMs: number;
  readonly endedMs: number;
  readonly computeMs: number;
  readonly rows: number;
  /** How the runner ended, if not with an answer. */
  readonly mishap?: string | undefined;
};

/**
 * Spans of a batch that ran: of each job that is traced its time in the queue and its run, both children of its request, and of the batch itself and the
 * runner's computing below the first of them, with a link to each other. Of a batch that went wrong every job with a trace is told of, sampled or not.
 */
export function recordBatch(spans: Spans, run: RunOfBatch): void {
  const traced = run.works.flatMap(({ job }) => {
    if (run.mishap === undefined && !isSampledIn(job.traceparent)) return [];
    const request = job.traceparent === undefined ? undefined : contextIn(job.traceparent);
    return request === undefined ? [] : [{ job, request, own: childOf(request) }];
  });
  const [first] = traced;
  if (first === undefined) return;
  const { startedMs, endedMs, mishap } = run;
  const batch = childOf(first.own);
  const ran = { kind: 'consumer', startMs: startedMs, endMs: endedMs, failure: mishap } as const;
  for (const { job, request, own } of traced) {
    const attributes = { 'sluice.tenant': job.tenant, 'sluice.prediction': job.id, 'sluice.version': run.version };
    const queued = { kind: 'consumer', startMs: Math.min(job.acceptedAtMs, startedMs), endMs: startedMs } as const;
    spans.record({ context: childOf(request), parent: request, name: 'queue', ...queued, attributes });
    spans.record({
      context: own,
      parent: request,
      name: 'run',
      ...ran,
      attributes,
      links: linkTo(batch, first.own, own),
    });
  }
  const attributes = {
    'sluice.version': run.version,
    'sluice.batch.jobs': run.works.length,
    'sluice.batch.rows': run.rows,
  };
  const links = traced.map(({ own }) => own);
  spans.record({ context: batch, parent: first.own, name: 'batch', ...ran, kind: 'internal', attributes, links });
  const computeMs = Math.min(run.computeMs, endedMs - startedMs);
  spans.record({
    context: childOf(batch),
    parent: batch,
    name: 'runner',
    kind: 'internal',
    startMs: endedMs - computeMs,
    endMs: endedMs,
    failure: mishap,
    attributes: { 'sluice.version': run.version, 'sluice.compute_ms': run.computeMs },
  });
}

/** The first one's batch is its child, and needs none. */
function linkTo(batch: TraceContext, first: TraceContext, own: TraceContext): readonly TraceContext[] {
  return own === first ? [] : [batch];
}

/** Of jobs that end as failed, sampled or not: from their admission on. */
export function recordFailed(spans: Spans, jobs: readonly Job[], failure: FailureCode, endMs: number): void {
  for (const { id, tenant, model, version, traceparent, acceptedAtMs } of jobs) {
    const request = traceparent === undefined ? undefined : contextIn(traceparent);
    if (request === undefined) continue;
    spans.record({
      context: childOf(request),
      parent: request,
      name: 'outcome',
      kind: 'internal',
      startMs: Math.min(acceptedAtMs, endMs),
      endMs,
      failure,
      attributes: { 'sluice.tenant': tenant, 'sluice.prediction': id, 'sluice.version': `${model}@${version}` },
    });
  }
}
