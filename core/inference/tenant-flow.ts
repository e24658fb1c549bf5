import { Fifo } from './fifo.ts';

/** What the fair queue must know of a piece of work. */
export type Waiting = {
  readonly tenant: string;
  /** The tenant's share relative to others. */
  readonly weight: number;
  /** Only work with equal buckets may share a run. */
  readonly bucket: string;
  /** Expected compute in milliseconds, its part of a shared run. */
  readonly costMs: number;
  /** When it was accepted: a tenant's buckets take turns by age. */
  readonly sinceMs: number;
};

/**
 * What a tenant gets for each round, times its weight, and the most that it may save. A heavy tenant (weight 16) then goes
 * on for one batch (15 ms) before the next one's turn.
 */
const QUANTUM_MS = 1;
/** Debt is bounded by one run of the default model timeout: what a tenant owes is forgotten beyond it. */
const MOST_DEBT_MS = 10_000;

/** One tenant's work in one lane: first in first out for each bucket, and the credit that deficit round-robin keeps. */
export class TenantFlow<T extends Waiting> {
  readonly tenant: string;
  readonly #buckets = new Map<string, Fifo<T>>();
  #weight: number;
  #creditMs: number;
  #round: number;
  #waiting = 0;
  #running = 0;
  /** Set while nothing waits or runs, cleared by work: the flow is forgotten at the second sweep that finds it set. */
  idle = false;

  constructor(tenant: string, weight: number, round: number) {
    this.tenant = tenant;
    this.#weight = weight;
    this.#creditMs = QUANTUM_MS * weight;
    this.#round = round;
  }

  get waiting(): number {
    return this.#waiting;
  }

  get isUsed(): boolean {
    return this.#waiting > 0 || this.#running > 0;
  }

  /** True if this is the first of its bucket here. */
  push(item: T, round: number): boolean {
    this.idle = false;
    if (this.#waiting === 0) {
      // Debt is paid off by the rounds that went by meanwhile.
      this.creditMs(round);
    }
    this.#weight = item.weight;
    this.#waiting += 1;
    const queue = this.#buckets.get(item.bucket);
    if (queue !== undefined) {
      queue.push(item);
      return false;
    }
    const first = new Fifo<T>();
    first.push(item);
    this.#buckets.set(item.bucket, first);
    return true;
  }

  /** Credit at `round`: what came with the rounds since the last look is added now, as far as it may be saved. */
  creditMs(round: number): number {
    if (round !== this.#round) {
      const earnedMs = this.#creditMs + this.#earnedMs(round - this.#round);
      this.#creditMs = Math.max(this.#creditMs, Math.min(earnedMs, this.#earnedMs(1)));
      this.#round = round;
    }
    return this.#creditMs;
  }

  /** True if there is credit, or would be if `ahead` rounds more had gone by. */
  hasCredit(round: number, ahead: number): boolean {
    return this.creditMs(round) + this.#earnedMs(ahead) > 0;
  }

  /** Whole rounds from `round` until there is credit again. */
  roundsToCredit(round: number): number {
    return Math.max(0, Math.floor(-this.creditMs(round) / this.#earnedMs(1)) + 1);
  }

  #earnedMs(rounds: number): number {
    return rounds * QUANTUM_MS * this.#weight;
  }

  /** Of the accepted buckets the one whose first item has waited longest. */
  nextBucket(accept: (bucket: string) => boolean): string | undefined {
    let oldest: string | undefined;
    let oldestMs = Number.POSITIVE_INFINITY;
    for (const [bucket, queue] of this.#buckets) {
      const { sinceMs } = queue.peek()!;
      if (sinceMs >= oldestMs || !accept(bucket)) continue;
      oldest = bucket;
      oldestMs = sinceMs;
    }
    return oldest;
  }

  peek(bucket: string): T | undefined {
    return this.#buckets.get(bucket)?.peek();
  }

  /** Takes the item that `peek` showed. True if it was the last of its bucket. */
  drop(bucket: string): boolean {
    const queue = this.#buckets.get(bucket)!;
    queue.drop();
    this.#waiting -= 1;
    if (queue.length > 0) return false;
    this.#buckets.delete(bucket);
    return true;
  }

  start(costMs: number): void {
    this.#running += 1;
    this.#creditMs = Math.max(this.#creditMs - costMs, -MOST_DEBT_MS);
  }

  /** Corrects what `start` took by what was measured. */
  end(costMs: number, measuredMs: number): void {
    this.#running -= 1;
    this.#creditMs = Math.max(this.#creditMs + costMs - measuredMs, -MOST_DEBT_MS);
  }
}
