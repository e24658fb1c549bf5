import { z } from 'zod';
import { FAILURES, type FailureCode } from '../../core/failure.ts';
import type { Outcome } from '../../core/inference/job.ts';
import { parseItem } from './parse-item.ts';
import type { Item } from './table.ts';

const payloadSchema = z.union([z.instanceof(Uint8Array), z.string()]);

/**
 * One job. Without `createdAtMs` it is one whose caller waits, there since a worker began it; whoever asks by id does not see
 * it. `unsent` and `notice` are partitions of sparse indexes.
 */
const jobItemSchema = z.strictObject({
  pk: z.string(),
  sk: z.string(),
  state: z.enum(['submitting', 'queued', 'running', 'ended']),
  attempt: z.int().optional(),
  createdAtMs: z.number().optional(),
  expiresAtMs: z.number(),
  ttl: z.int(),
  unsent: z.string().optional(),
  notice: z.string().optional(),
  noticeAtMs: z.number().optional(),
  /** As the caller named it. */
  model: z.string().optional(),
  modelVersion: z.string().optional(),
  /** The job without its inputs, sealed. */
  head: payloadSchema.optional(),
  inputs: payloadSchema.optional(),
  outcome: payloadSchema.optional(),
  failure: z.enum(Object.keys(FAILURES) as FailureCode[]).optional(),
  endedAtMs: z.number().optional(),
});
export type JobItem = z.infer<typeof jobItemSchema>;

/** Throws `record-damaged`. */
export function toJobItem(item: Item): JobItem {
  return parseItem(jobItemSchema, item);
}

/** An end that needs no payload: a failure without facts, after no compute. */
export function isPlain(outcome: Outcome): boolean {
  return outcome.kind === 'failed' && outcome.computeMs === 0 && Object.keys(outcome.facts).length === 0;
}

export function plainOutcome(code: FailureCode, endedAtMs: number): Outcome {
  return { kind: 'failed', code, facts: {}, computeMs: 0, endedAtMs };
}
