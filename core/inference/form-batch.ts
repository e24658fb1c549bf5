import { MIB } from '../units.ts';
import type { BatchCost, RunCost } from './batch-cost.ts';
import type { BatchPlan } from './batch-plan.ts';
import type { Verdict } from './lane-queue.ts';
import type { Work } from './work.ts';

/** Inputs of one run together: copied twice on their way, so the worker needs three times this for each runner. */
const MOST_BATCH_BYTES = 16 * MIB;

/**
 * What several runners must save against one for work to be split among them: five times what a run of its own costs the
 * worker in frames and wake-ups (0.1 ms), and a quarter of the time.
 */
const LEAST_GAIN_MS = 0.5;
const LEAST_GAIN = 0.25;

/** How much one run may still take. */
export type BatchRoom = {
  readonly maxRows: number;
  readonly maxPaddedElements: number;
  readonly maxRequests: number;
  rows: number;
  length: number;
  bytes: number;
  requests: number;
};

/** Room of an empty run: rows by the manifest and by what fits in its milliseconds. */
export function roomFor(plan: BatchPlan, cost: Pick<BatchCost, 'rowsWithin'>, maxRequests: number): BatchRoom {
  const maxRows = Math.min(plan.maxRows, cost.rowsWithin(plan.maxBatchMs));
  const { maxPaddedElements } = plan;
  return {
    maxRows,
    maxPaddedElements,
    maxRequests: plan.alone ? 1 : maxRequests,
    rows: 0,
    length: 0,
    bytes: 0,
    requests: 0,
  };
}

/** How waiting requests are best spread over runners: how many each takes, and the milliseconds that this saves against one. */
export type Spread = { readonly requests: number; readonly savedMs: number };

/** Splits among idle runners what one run could take, if that is much faster: cores beat batches where rows cost. */
export function spreadOver(runners: number, waiting: number, room: BatchRoom, cost: BatchCost): Spread {
  const whole = Math.min(waiting, room.maxRows, room.maxRequests);
  const requests = Math.ceil(whole / runners);
  const wholeMs = cost.predictMs(whole);
  const savedMs = requests === whole ? 0 : wholeMs - cost.predictMs(requests);
  return savedMs >= Math.max(LEAST_GAIN_MS, LEAST_GAIN * wholeMs)
    ? { requests, savedMs }
    : { requests: whole, savedMs: 0 };
}

/**
 * True if a request of a near bucket is better off in this run than in the one that its own bucket could have now, `mates`
 * requests like it: what it adds here, everybody's padding included, is less than its part there.
 */
export function gainsByJoining(
  room: BatchRoom,
  work: Pick<Work, 'rows' | 'length'>,
  mates: number,
  runMs: RunCost,
): boolean {
  const addedMs = runMs(room.rows + work.rows, Math.max(room.length, work.length)) - runMs(room.rows, room.length);
  return addedMs < runMs(mates * work.rows, work.length) / mates;
}

/**
 * Takes one more request into a run if it fits. The first one always fits: a request larger than every cap has a run
 * of its own.
 */
export function takeInto(room: BatchRoom, work: Pick<Work, 'rows' | 'length' | 'inputBytes'>): Verdict {
  if (room.requests > 0) {
    if (room.rows >= room.maxRows || room.requests >= room.maxRequests) return 'full';
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
