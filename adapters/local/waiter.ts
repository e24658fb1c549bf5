import type { Deadlines, Expiring, Ticket } from './deadlines.ts';

/** Who waits under a signal. One listener a signal, however many requests a connection sends: an event target's own list costs a tenth of a request. */
const waitersOf = new WeakMap<AbortSignal, Set<Expiring>>();

/** One caller that waits: settled once, by a value, its deadline or its signal (undefined for these two). */
export class Waiter<T> implements Expiring {
  readonly value: Promise<T | undefined>;
  readonly #resolve: (value: T | undefined) => void;
  readonly #deadlines: Deadlines;
  readonly #ticket: Ticket;
  readonly #siblings: Set<Expiring> | undefined;
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
    this.#onExpire = onExpire;
    this.#ticket = deadlines.add(this, untilMs);
    this.#siblings = signal && waitersUnder(signal);
    this.#siblings?.add(this);
  }

  settle(value: T | undefined): void {
    this.#deadlines.remove(this, this.#ticket);
    this.#siblings?.delete(this);
    this.#resolve(value);
  }

  expire(): void {
    this.#onExpire(this);
    this.settle(undefined);
  }
}

function waitersUnder(signal: AbortSignal): Set<Expiring> {
  let waiters = waitersOf.get(signal);
  if (waiters === undefined) {
    const fresh = new Set<Expiring>();
    signal.addEventListener('abort', () => expireAll(fresh), { once: true });
    waitersOf.set(signal, fresh);
    waiters = fresh;
  }
  return waiters;
}

function expireAll(waiters: Set<Expiring>): void {
  for (const waiter of waiters) waiter.expire();
}
