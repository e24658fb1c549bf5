import type { Clock } from '../../core/ports/clock.ts';

/** How late a deadline may be noticed: 20 wake-ups a second while anything waits, whatever the number that waits. */
const TICK_MS = 50;

/** Something that ends at a time unless it is removed before. */
export type Expiring = { expire(): void };

/** What `add` returns and `remove` takes. */
export type Ticket = Set<Expiring>;

/** Deadlines in buckets of 50 ms under one timer: adding and removing cost a set operation. Never early, 50 ms late at most. */
export class Deadlines {
  readonly #clock: Clock;
  readonly #buckets = new Map<number, Ticket>();
  readonly #stop = new AbortController();
  #isRunning = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  add(item: Expiring, atMs: number): Ticket {
    if (this.#stop.signal.aborted) queueMicrotask(() => item.expire());
    const bucket = Math.ceil(atMs / TICK_MS);
    let items = this.#buckets.get(bucket);
    if (items === undefined) {
      items = new Set();
      this.#buckets.set(bucket, items);
      if (!this.#isRunning && !this.#stop.signal.aborted) void this.#run();
    }
    items.add(item);
    return items;
  }

  remove(item: Expiring, ticket: Ticket): void {
    ticket.delete(item);
  }

  /** Expires all that wait, and who comes later, at once. */
  close(): void {
    this.#stop.abort();
    for (const items of this.#buckets.values()) expireAll(items);
    this.#buckets.clear();
  }

  async #run(): Promise<void> {
    this.#isRunning = true;
    try {
      while (this.#buckets.size > 0 && !this.#stop.signal.aborted) {
        await this.#clock.sleep(TICK_MS, this.#stop.signal);
        this.#expireDue(this.#clock.nowMs());
      }
    } catch (error) {
      if (!this.#stop.signal.aborted) throw error;
    } finally {
      this.#isRunning = false;
    }
  }

  #expireDue(nowMs: number): void {
    for (const [bucket, items] of this.#buckets) {
      if (bucket * TICK_MS > nowMs) continue;
      this.#buckets.delete(bucket);
      expireAll(items);
    }
  }
}

function expireAll(items: Ticket): void {
  for (const item of items) item.expire();
  items.clear();
}
