import type { Reservation, ReserveAnswer } from '../../core/ports/limits.ts';
import { DAY_MS, SECOND_MS } from '../../core/units.ts';
import { StoredBound } from './stored-bound.ts';

type Place = { readonly computeMs: number; readonly dayStartMs: number; readonly expiresAtMs: number };

/** A tenant's compute as it is on the disk. */
export type StoredCompute = { readonly dayStartMs: number; readonly chargedMs: number };

const GRANTED: ReserveAnswer = { kind: 'granted' };

/**
 * A tenant's places in flight and its compute of one UTC day. Memory holds the truth; the bound on the disk is never
 * less than spent and reserved together, so a crash charges what was reserved in full and up to a block more.
 */
export class ComputeBudget {
  readonly #store: (stored: StoredCompute) => Promise<void>;
  readonly #places = new Map<string, Place>();
  #dayStartMs: number;
  #bound: StoredBound;
  #spentMs: number;
  #reservedMs = 0;
  /** Not later than the first place's expiry. */
  #nextExpiryMs = Number.POSITIVE_INFINITY;

  constructor(stored: StoredCompute, store: (stored: StoredCompute) => Promise<void>) {
    this.#store = store;
    this.#dayStartMs = stored.dayStartMs;
    this.#spentMs = stored.chargedMs;
    this.#bound = this.#boundOf(stored);
  }

  /** Puts back the place of a job from before a restart; its compute was charged then. */
  restore(id: string, expiresAtMs: number): void {
    this.#add(id, { computeMs: 0, dayStartMs: Number.NEGATIVE_INFINITY, expiresAtMs });
  }

  reserve(reservation: Reservation, nowMs: number): ReserveAnswer | Promise<ReserveAnswer> {
    this.#bringUpTo(nowMs);
    const { id, computeMs, dailyComputeMs, expiresAtMs } = reservation;
    if (this.#places.has(id)) return GRANTED;
    // An answer of the jobs in flight makes room; a second is long for most.
    if (this.#places.size >= reservation.inFlightLimit) return { kind: 'in-flight-full', retryAfterMs: SECOND_MS };
    const usedMs = this.#usedMs() + computeMs;
    if (usedMs > dailyComputeMs) {
      return { kind: 'compute-spent', retryAfterMs: this.#dayStartMs + DAY_MS - nowMs };
    }
    const place = { computeMs, dayStartMs: this.#dayStartMs, expiresAtMs };
    this.#add(id, place);
    // A thousandth of the day, and half of what is left near its end: what a crash may cost.
    const block = Math.min(dailyComputeMs / 1000, (dailyComputeMs - usedMs) / 2);
    if (usedMs <= this.#bound.stored) {
      this.#bound.prepare(usedMs, block);
      return GRANTED;
    }
    return this.#cover(id, place, usedMs, block);
  }

  settle(id: string, computeMs: number, nowMs: number): void | Promise<void> {
    this.#bringUpTo(nowMs);
    const place = this.#places.get(id);
    if (place === undefined) return;
    this.#remove(id, place);
    if (place.dayStartMs !== this.#dayStartMs) return;
    this.#spentMs += computeMs;
    if (this.#usedMs() > this.#bound.stored) return this.#bound.cover(this.#usedMs(), 0);
  }

  usage(nowMs: number): { inFlight: number; computeMs: number; dayStartMs: number } {
    this.#bringUpTo(nowMs);
    return { inFlight: this.#places.size, computeMs: this.#usedMs(), dayStartMs: this.#dayStartMs };
  }

  /** Grants once the bound on the disk covers it, or gives the place up. */
  async #cover(id: string, place: Place, usedMs: number, block: number): Promise<ReserveAnswer> {
    try {
      await this.#bound.cover(usedMs, block);
    } catch (error) {
      if (this.#places.get(id) === place) this.#remove(id, place);
      throw error;
    }
    return GRANTED;
  }

  #usedMs(): number {
    return this.#spentMs + this.#reservedMs;
  }

  #boundOf({ dayStartMs, chargedMs }: StoredCompute): StoredBound {
    return new StoredBound(chargedMs, (bound) => this.#store({ dayStartMs, chargedMs: bound }));
  }

  #add(id: string, place: Place): void {
    this.#places.set(id, place);
    if (place.dayStartMs === this.#dayStartMs) this.#reservedMs += place.computeMs;
    this.#nextExpiryMs = Math.min(this.#nextExpiryMs, place.expiresAtMs);
  }

  #remove(id: string, place: Place): void {
    this.#places.delete(id);
    if (place.dayStartMs === this.#dayStartMs) this.#reservedMs -= place.computeMs;
    // No rounding error is carried on from request to request.
    if (this.#places.size === 0) this.#reservedMs = 0;
  }

  /** A day begins once, even if a caller's clock is a little behind; what has expired is charged in full. */
  #bringUpTo(nowMs: number): void {
    if (nowMs >= this.#dayStartMs + DAY_MS) {
      this.#dayStartMs = Math.floor(nowMs / DAY_MS) * DAY_MS;
      this.#spentMs = 0;
      this.#reservedMs = 0;
      this.#bound = this.#boundOf({ dayStartMs: this.#dayStartMs, chargedMs: 0 });
    }
    if (nowMs < this.#nextExpiryMs) return;
    this.#nextExpiryMs = Number.POSITIVE_INFINITY;
    for (const [id, place] of this.#places) {
      if (place.expiresAtMs > nowMs) {
        this.#nextExpiryMs = Math.min(this.#nextExpiryMs, place.expiresAtMs);
        continue;
      }
      this.#remove(id, place);
      if (place.dayStartMs === this.#dayStartMs) this.#spentMs += place.computeMs;
    }
  }
}
