import { SECOND_MS } from '../core/units.ts';

/** Waits further apart than this are not one load. */
const MEMORY_MS = 10 * SECOND_MS;
/** Runs shorter than this keep nobody waiting that a frame more would not keep as long. */
const LEAST_RUN_MS = 0.5;
/** A wait counts before its run has ended only if it is longer than this worker itself may have stood still. */
const STALL_MS = 20;

/**
 * When to load a model into a second runner: once runs during which its work waited beside an idle runner, and what batches
 * took longer than they would have on two, add up to what loading takes. That is the ski-rental rule (Karlin 1988): never
 * more than twice the cost of having known. Counted is compute, so that a busy worker does not take itself for a busy runner.
 */
export class LoadPressure {
  #wastedMs = 0;
  #sinceMs: number | undefined;
  #lastMs = Number.NEGATIVE_INFINITY;

  /** Work waits, and an idle runner does not have the model. */
  wait(nowMs: number): void {
    this.#note(nowMs);
    this.#sinceMs ??= nowMs;
  }

  /** A run of the model has ended. */
  ran(computeMs: number): void {
    if (this.#sinceMs !== undefined && computeMs >= LEAST_RUN_MS) this.#wastedMs += computeMs;
    this.#sinceMs = undefined;
  }

  /** A run takes so much longer than it would if an idle runner had the model. */
  miss(nowMs: number, ms: number): void {
    if (ms === 0) return;
    this.#note(nowMs);
    this.#wastedMs += ms;
  }

  /** True if it is time to load the model into another runner. */
  isDue(nowMs: number, loadMs: number): boolean {
    const waitedMs = this.#sinceMs === undefined ? 0 : nowMs - this.#sinceMs;
    return this.#wastedMs + (waitedMs > STALL_MS ? waitedMs : 0) >= loadMs;
  }

  /** It is being loaded. */
  relieved(): void {
    this.#wastedMs = 0;
    this.#sinceMs = undefined;
  }

  #note(nowMs: number): void {
    if (nowMs - this.#lastMs > MEMORY_MS && this.#sinceMs === undefined) this.#wastedMs = 0;
    this.#lastMs = nowMs;
  }
}
