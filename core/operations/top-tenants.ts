/** Tenants with a series of their own, however many there are. */
const MOST_NAMED = 20;
/** Others whose recent requests are known, so that one of them can be named. */
const MOST_CANDIDATES = 500;
/** What was called is half forgotten after each turn. */
const FORGET = 0.5;
/** A candidate must be so much busier than a named one to take its place: two of nearly the same must not change places for ever. */
const CLEARLY = 2;

/**
 * Requests by tenant, of the twenty who call most, and of all others together. No number goes down: who is named begins at 0, and what came
 * before stays with the others; who is no longer named goes on there.
 */
export class TopTenants {
  readonly #named = new Map<string, { total: number; recent: number }>();
  readonly #candidates = new Map<string, number>();
  #other = 0;

  add(tenant: string, count: number): void {
    let named = this.#named.get(tenant);
    if (named === undefined && this.#named.size < MOST_NAMED) {
      named = { total: 0, recent: 0 };
      this.#named.set(tenant, named);
    }
    if (named === undefined) {
      this.#other += count;
      const before = this.#candidates.get(tenant);
      if (before !== undefined || this.#candidates.size < MOST_CANDIDATES)
        this.#candidates.set(tenant, (before ?? 0) + count);
      return;
    }
    named.total += count;
    named.recent += count;
  }

  addOther(count: number): void {
    this.#other += count;
  }

  /** Once a minute: names who has become clearly busier than one who is named. */
  turn(): void {
    const busiest = [...this.#candidates].sort(([, a], [, b]) => b - a);
    const quietest = [...this.#named].sort(([, a], [, b]) => a.recent - b.recent);
    for (const [at, [tenant, recent]] of busiest.entries()) {
      const rival = quietest[at];
      if (rival === undefined || recent <= CLEARLY * rival[1].recent) break;
      this.#named.delete(rival[0]);
      this.#named.set(tenant, { total: 0, recent });
      this.#candidates.delete(tenant);
    }
    for (const named of this.#named.values()) named.recent *= FORGET;
    for (const [tenant, recent] of this.#candidates) {
      if (recent * FORGET < 1) this.#candidates.delete(tenant);
      else this.#candidates.set(tenant, recent * FORGET);
    }
  }

  /** Requests by tenant, and of all others. */
  totals(): { readonly named: readonly (readonly [tenant: string, requests: number])[]; readonly other: number } {
    return { named: [...this.#named].map(([tenant, { total }]) => [tenant, total] as const), other: this.#other };
  }
}
