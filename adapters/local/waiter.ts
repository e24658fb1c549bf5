import type { Deadlines, Expiring, Ticket } from './deadlines.ts';

/** One caller that waits: settled once, by a value, its deadline or its signal (undefined for these two). */
export class Waiter<T> implements Expiring {
  readonly value: Promise<T | undefined>;
  readonly #resolve: (value: T | undefined) => void;
  readonly #deadlines: Deadlines;
  readonly #ticket: Ticket;
  readonly #signal: AbortSignal | undefined;
  readonly #onExpire: (waiter: Waiter<T>) => void;

  constructor(
    deadlines: Deadlines,
    untilMs: number,
    signal: AbortSignal | undefined,
    onExpire: (waiter: Waiter<T>) => void,
  ) {
    const { promise, resolve } = Promise.withResolvers<T | undefined>();
    this.value = promise;
    this.#resolve = resolve;
    this.#deadlines = deadlines;
    this.#signal = signal;
    this.#onExpire = onExpire;
    this.#ticket = deadlines.add(this, untilMs);
    signal?.addEventListener('abort', this);
  }

  settle(value: T | undefined): void {
    this.#deadlines.remove(this, this.#ticket);
    this.#signal?.removeEventListener('abort', this);
    this.#resolve(value);
  }

  expire(): void {
    this.#onExpire(this);
    this.settle(undefined);
  }

  /** The signal's abort event: an object as listener saves a closure per request. */
  handleEvent(): void {
    this.expire();
  }
}
