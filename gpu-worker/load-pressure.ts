import { SECOND_MS } from '../core/units.ts';

/** Waits further apart than this are not one load. */
const MEMORY_MS = 10 * SECOND_MS;

/**
 * When to load a model into a second runner: once idle runners have stood by for as long as loading takes, while its work
 * waited for the busy one or was run in one batch that two runners would have ended sooner. That is the ski-rental rule
 * (Karlin 1988): never more than twice the cost of having known.
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

  /** Work no longer waits for a runner. */
  served(nowMs: number): void {
    if (this.#sinceMs === undefined) return;
    this.#wastedMs += nowMs - this.#sinceMs;
    this.#sinceMs = undefined;
  }

  /** A run takes so much longer than it would if an idle runner had the model. */
  miss(nowMs: number, ms: number): void {
    this.#note(nowMs);
    this.#wastedMs += ms;
  }

  /** True if it is time to load the model into another runner. */
  isDue(nowMs: number, loadMs: number): boolean {
    return this.#wastedMs + (this.#sinceMs === undefined ? 0 : nowMs - this.#sinceMs) >= loadMs;
  }

  /** It is being loaded. */
  relieved(): void {
    this.#wastedMs = 0;
    this.#sinceMs = undefined;
  }

  #note(nowMs: number): void {
    if (this.#sinceMs === undefined && nowMs - this.#lastMs > MEMORY_MS) this.#wastedMs = 0;
    this.#lastMs = nowMs;
  }
}
