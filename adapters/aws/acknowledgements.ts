import type { Clock } from '../../core/ports/clock.ts';
import type { SqsLane } from './sqs-lane.ts';

/**
 * How long what is done with waits for company: a deletion of ten costs what one does. Who answers a caller does not wait for
 * it, and a message that a crash keeps until it comes again finds its job ended.
 */
const COLLECT_MS = 50;

/** Deletions from one queue, collected. */
export class Acknowledgements {
  readonly #lane: SqsLane;
  readonly #clock: Clock;
  #collecting: { readonly handles: string[]; readonly done: Promise<void> } | undefined;

  constructor(lane: SqsLane, clock: Clock) {
    this.#lane = lane;
    this.#clock = clock;
  }

  /** Resolves when they are deleted. */
  add(handles: readonly string[]): Promise<void> {
    if (this.#collecting === undefined) {
      const collected: string[] = [];
      this.#collecting = { handles: collected, done: this.#deleteLater(collected) };
    }
    this.#collecting.handles.push(...handles);
    return this.#collecting.done;
  }

  async #deleteLater(handles: readonly string[]): Promise<void> {
    await this.#clock.sleep(COLLECT_MS);
    this.#collecting = undefined;
    await this.#lane.delete(handles);
  }
}
