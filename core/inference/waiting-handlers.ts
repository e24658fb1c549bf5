import type { WaitingPlaces } from '../ports/waiting-places.ts';
import { SECOND_MS } from '../units.ts';
import type { Caller } from './request.ts';

/** Most answers are there by then: they pay for no place. */
const FREE_WAIT_MS = 2 * SECOND_MS;

/** Where who waits longer than `freeMs` takes a place first, of `limit`. */
export type PlaceToWait = { readonly places: WaitingPlaces; readonly limit: number; readonly freeMs: number };

/**
 * How many callers of each tenant wait: beyond the plan's cap the answer is 202. Those of this process are counted at once. Where
 * processes share nothing, whoever waits long takes a place of the region too.
 */
export class WaitingHandlers {
  readonly #counts = new Map<string, number>();
  readonly #places: WaitingPlaces | undefined;

  constructor(places: WaitingPlaces | undefined) {
    this.#places = places;
  }

  /** Takes a place of this process; false if the tenant has no more. Who gets one leaves it once answered. */
  enter({ tenant, limits }: Caller): boolean {
    const count = this.#counts.get(tenant.id) ?? 0;
    if (count >= limits.waitingHandlers) return false;
    this.#counts.set(tenant.id, count + 1);
    return true;
  }

  leave({ tenant }: Caller): void {
    const left = (this.#counts.get(tenant.id) ?? 1) - 1;
    if (left > 0) this.#counts.set(tenant.id, left);
    else this.#counts.delete(tenant.id);
  }

  /** What a long wait has to take; undefined where this process counts all of the region. */
  placeFor({ limits }: Caller, freeMs = FREE_WAIT_MS): PlaceToWait | undefined {
    return this.#places && { places: this.#places, limit: limits.waitingHandlers, freeMs };
  }
}
