import { setImmediate as nextTurn } from 'node:timers/promises';

/** Long work in small parts, one part in a turn of the event loop however many are at it: whoever answers requests waits for one part at the most. */
export class Turns {
  #last: Promise<void> = Promise.resolve();

  /** Resolves in a turn that nobody else was given. */
  next(): Promise<void> {
    this.#last = this.#last.then(() => nextTurn());
    return this.#last;
  }
}
