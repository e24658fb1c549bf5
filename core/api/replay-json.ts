import { z } from 'zod';
import { MOST_REPLAYED } from '../models/replay/replay.ts';
import type { OutputReport, ReplayReport, SideReport } from '../models/replay/report.ts';
import { tenantIdSchema } from '../tenancy/tenant.ts';
import { PARAMS } from './params.ts';
import { snakeKeys } from './snake-case.ts';

const source = z.enum(['golden', 'captured']);

export const replayBody = z
  .strictObject({
    /** What serves, or did: its golden pairs are replayed, and its manifest says what is tolerated. */
    from: PARAMS.version.schema,
    to: PARAMS.version.schema,
    /** Where `to` is of another model, which must take the same inputs. */
    to_model: PARAMS.model.schema.optional(),
    /** Golden pairs of `from`, or what was captured of predictions by the model of the path. */
    source: source.default('golden'),
    /** Inputs at the most: the first golden pairs, the newest captured predictions. */
    limit: z.int().min(1).max(MOST_REPLAYED).default(MOST_REPLAYED),
    /** Captured predictions of this tenant alone. */
    tenant: tenantIdSchema.optional(),
  })
  .meta({ id: 'ReplayCreate' });

const count = z.int().min(0);
const ms = z.number().min(0).nullable();

const sideJson = z
  .strictObject({
    model: z.string(),
    version: z.string(),
    /** Compute of one input alone; null without a run. */
    p50_ms: ms,
    p99_ms: ms,
    refused: count,
    crashed: count,
    timed_out: count,
  })
  .meta({ id: 'ReplaySide' });

/** `incomparable`: inputs for which the output is missing, has another shape or type, or is finite on one side alone. */
const outputJson = z
  .discriminatedUnion('kind', [
    z.strictObject({
      kind: z.literal('numbers'),
      name: z.string(),
      incomparable: count,
      largest_difference: z.number().min(0),
      p99_difference: z.number().min(0),
    }),
    z.strictObject({
      kind: z.literal('labels'),
      name: z.string(),
      incomparable: count,
      labels: count,
      changed: count,
      changes: z.array(z.strictObject({ from: z.string(), to: z.string(), count })),
    }),
  ])
  .meta({ id: 'ReplayOutput' });

export const replayJson = z
  .strictObject({
    source,
    from: sideJson,
    to: sideJson,
    inputs: count,
    /** Fewer than `inputs` if it was stopped. */
    compared: count,
    agree: count,
    differ: count,
    both_failed: count,
    stopped: z.enum(['time', 'crashes', 'cancelled']).nullable(),
    outputs: z.array(outputJson),
    /** Ids of the predictions that differ, or `pair 7`; the first hundred. */
    differing: z.array(z.string()),
    took_ms: z.number().min(0),
  })
  .meta({ id: 'Replay' });

export type ReplayJson = z.infer<typeof replayJson>;

export function replayToJson(report: ReplayReport): ReplayJson {
  return {
    ...snakeKeys(report),
    from: sideToJson(report.from),
    to: sideToJson(report.to),
    stopped: report.stopped ?? null,
    outputs: report.outputs.map(outputToJson),
    differing: [...report.differing],
  };
}

function sideToJson(side: SideReport): z.infer<typeof sideJson> {
  return { ...snakeKeys(side), p50_ms: side.p50Ms ?? null, p99_ms: side.p99Ms ?? null };
}

function outputToJson(output: OutputReport): z.infer<typeof outputJson> {
  return output.kind === 'numbers' ? snakeKeys(output) : { ...output, changes: [...output.changes] };
}
