import { MIB } from '../units.ts';
import type { BatchCost } from './batch-cost.ts';
import type { BatchPlan } from './batch-plan.ts';
import type { Verdict } from './lane-queue.ts';
import type { Work } from './work.ts';

/** Inputs of one run together: copied twice on their way, so the worker needs three times this for each runner. */
const MOST_BATCH_BYTES = 16 * MIB;

/** How much one run may still take. */
export type BatchRoom = {
  readonly maxRows: number;
  readonly maxPaddedElements: number;
  rows: number;
  length: number;
  bytes: number;
  requests: number;
};

/** Room of an empty run: rows by the manifest and by what fits in its milliseconds. */
export function roomFor(plan: BatchPlan, cost: Pick<BatchCost, 'rowsWithin'>): BatchRoom {
  const maxRows = plan.alone ? 0 : Math.min(plan.maxRows, cost.rowsWithin(plan.maxBatchMs));
  return { maxRows, maxPaddedElements: plan.maxPaddedElements, rows: 0, length: 0, bytes: 0, requests: 0 };
}

/**
 * Takes one more request into a run if it fits. The first one always fits: a request larger than every cap has a run
 * of its own.
 */
export function takeInto(room: BatchRoom, work: Pick<Work, 'rows' | 'length' | 'inputBytes'>): Verdict {
  if (room.requests > 0) {
    if (room.rows >= room.maxRows) return 'full';
    const rows = room.rows + work.rows;
    const elements = rows * Math.max(room.length, work.length);
    const bytes = room.bytes + work.inputBytes;
    if (rows > room.maxRows || elements > room.maxPaddedElements || bytes > MOST_BATCH_BYTES) return 'no-room';
  }
  room.requests += 1;
  room.rows += work.rows;
  room.length = Math.max(room.length, work.length);
  room.bytes += work.inputBytes;
  return 'taken';
}
