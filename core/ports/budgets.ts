import type { Budget } from '../cost/budget.ts';

/**
 * What may be spent on what, as operators set it. Writes are durable when they resolve and conditional: the stored epoch must be
 * `budget.epoch - 1` (0: there must be none), else `state-conflict`, or `already-exists` when it was to be created.
 */
export interface Budgets {
  read(scope: string): Promise<Budget | undefined>;
  /** All of them, in order of scope; one that cannot be read is logged and left out. */
  list(): Promise<readonly Budget[]>;
  write(budget: Budget): Promise<void>;
  /** Idempotent. */
  remove(scope: string): Promise<void>;
}
