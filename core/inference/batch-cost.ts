import type { Validation } from '../models/report.ts';
import { expectedCost } from './expected-cost.ts';

/** Milliseconds of a run of so many rows, all padded to a length. */
export type RunCost = (rows: number, length: number) => number;

/** Run costs as validation measured them; undefined if it measured no runs of more than one row. */
export function measuredRunCost(validation: Pick<Validation, 'speed' | 'rowMs'>): RunCost | undefined {
  if (!validation.speed.some(({ rows }) => rows > 1)) return undefined;
  return (rows, length) => {
    const { rowMs, perRowMs = rowMs } = expectedCost(validation, length);
    return rowMs + (rows - 1) * perRowMs;
  };
}

/** Weight of the newest run: what was measured ten runs ago counts a tenth (0.8^10). */
const NEWEST = 0.2;
/** A run that took four times what was expected met a busy machine, not a slower model: it counts as four times. */
const OUTLIER = 4;
/** Runs after which outliers are clipped: the first ones after a load are warm-up. */
const SETTLED_RUNS = 3;
/** A tenth of a row's deviation a run: less says nothing about the slope. */
const LEAST_VARIANCE = 0.01;
const LEAST_MS = 1e-6;

/**
 * What runs of one version and length step cost: fixed + rows × perRow milliseconds, by exponentially weighted least
 * squares. Starts from what validation measured: the time of a row alone, and of one more row where it knows.
 */
export class BatchCost {
  #meanRows = 1;
  #meanMs: number;
  #varRows = 0;
  #covariance = 0;
  /** Milliseconds of one more row, once runs of different sizes were seen; it stays while all runs are of one size. */
  #slopeMs: number | undefined;
  #runs = 0;

  constructor(rowMs: number, perRowMs?: number) {
    this.#meanMs = rowMs;
    this.#slopeMs = perRowMs;
  }

  observe(rows: number, measuredMs: number): void {
    const ms = this.#runs >= SETTLED_RUNS ? Math.min(measuredMs, OUTLIER * this.predictMs(rows)) : measuredMs;
    // What validation measured counts as one run.
    const weight = Math.max(NEWEST, 1 / (this.#runs + 2));
    const dRows = rows - this.#meanRows;
    const dMs = ms - this.#meanMs;
    this.#meanRows += weight * dRows;
    this.#meanMs += weight * dMs;
    this.#varRows = (1 - weight) * (this.#varRows + weight * dRows * dRows);
    this.#covariance = (1 - weight) * (this.#covariance + weight * dRows * dMs);
    this.#runs += 1;
    if (this.#varRows > LEAST_VARIANCE) this.#slopeMs = this.#covariance / this.#varRows;
  }

  /** Milliseconds of a run of so many rows. */
  predictMs(rows: number): number {
    return Math.max(this.#meanMs + (rows - this.#meanRows) * this.#perRowMs(), LEAST_MS);
  }

  /** What so many rows are expected to add to runs of the usual size: their part of fixed costs included. */
  shareMs(rows: number): number {
    return Math.max((this.#meanMs / this.#meanRows) * rows, LEAST_MS);
  }

  /**
   * Most rows that are expected to take no longer than `ms`, at least 1. While only runs of one size were seen a run of
   * two rows is always allowed: a model whose cost is mostly fixed would never be batched otherwise.
   */
  rowsWithin(ms: number): number {
    const rows = Math.floor(this.#meanRows + (ms - this.#meanMs) / this.#perRowMs());
    return Math.max(rows, this.#slopeMs === undefined ? 2 : 1);
  }

  /** Between a hundredth and all of a row's mean time: noise must not make a row cost nothing, or less. */
  #perRowMs(): number {
    const whole = Math.max(this.#meanMs / this.#meanRows, LEAST_MS);
    return this.#slopeMs === undefined ? whole : Math.min(Math.max(this.#slopeMs, whole / 100), whole);
  }
}
