import { SystemClock } from '../../../adapters/node/system-clock.ts';

/** Real time, moved so that a story begins at noon of a day of its own and can jump over a lease. */
export class StoryClock extends SystemClock {
  #offsetMs: number;

  constructor(offsetMs: number) {
    super();
    this.#offsetMs = offsetMs;
  }

  get offsetMs(): number {
    return this.#offsetMs;
  }

  override nowMs(): number {
    return super.nowMs() + this.#offsetMs;
  }

  /** Moves the clock on; who sleeps is not woken. */
  jump(ms: number): void {
    this.#offsetMs += ms;
  }
}
