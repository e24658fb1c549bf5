import { SECOND_MS } from '../core/units.ts';

/** Waits further apart than this are not one load. */
const MEMORY_MS = 10 * SECOND_MS;

/**
 * When to load a model into a second runner: once idle runners have stood by, while its work waited for the busy one, for as
 * long as loading takes. That is the ski-rental rule (Karlin 1988): never more than twice the cost of having known.
 */
export class LoadPressure {
  #wastedMs = 0;
  #sinceMs: number | undefined;
  #lastMs = Number.NEGATIVE_INFINITY;

  /** Work waits and an idle runner does not have the model. True if it is time to load it there. */
  wait(nowMs: number, loadMs: number): boolean {
    if (this.#sinceMs === undefined) {
      if (nowMs - this.#lastMs > MEMORY_MS) this.#wastedMs = 0;
      this.#sinceMs = nowMs;
    }
    this.#lastMs = nowMs;
    return this.#wastedMs + nowMs - this.#sinceMs >= loadMs;
  }

  /** Work no longer waits for a runner. */
  served(nowMs: number): void {
    if (this.#sinceMs === undefined) return;
    this.#wastedMs += nowMs - this.#sinceMs;
    this.#sinceMs = undefined;
  }

  /** It is being loaded. */
  relieved(): void {
    this.#wastedMs = 0;
    this.#sinceMs = undefined;
  }
}
