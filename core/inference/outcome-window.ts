/** The window is counted in slices, so that it slides by a tenth of its length: it covers 90 to 100 % of it. */
const SLICES = 10;
/** Tenants told apart at once; those beyond count as one tenant. More voices than these change no share by half a percent. */
const MOST_TENANTS = 256;
/** Stands for the tenants that are not told apart; no tenant has an empty id. */
const OTHERS = '';

type Counts = { requests: number; failed: number };
type Slice = { readonly tenants: Map<string, Counts>; forAll: number };

/** What became of the requests of the last `windowMs`, by tenant. Memory: 257 tenants in each of 10 slices. */
export class OutcomeWindow {
  readonly #sliceMs: number;
  readonly #slices: Slice[] = Array.from({ length: SLICES }, () => ({ tenants: new Map(), forAll: 0 }));
  /** Sums over all slices. */
  readonly #tenants = new Map<string, Counts>();
  #forAll = 0;
  #requests = 0;
  /** Number of the latest slice since 1970. */
  #latest = 0;

  constructor(windowMs: number) {
    this.#sliceMs = windowMs / SLICES;
  }

  /** One request of a tenant. */
  add(tenant: string, failed: boolean, nowMs: number): void {
    const slice = this.#slide(nowMs);
    const known = this.#tenants.has(tenant) || this.#tenants.size < MOST_TENANTS;
    const name = known ? tenant : OTHERS;
    count(this.#tenants, name, failed);
    count(slice.tenants, name, failed);
    this.#requests += 1;
  }

  /** One request that failed for a reason which is every tenant's. */
  addForAll(nowMs: number): void {
    this.#slide(nowMs).forAll += 1;
    this.#forAll += 1;
    this.#requests += 1;
  }

  requests(nowMs: number): number {
    this.#slide(nowMs);
    return this.#requests;
  }

  /**
   * The mean over tenants of the share of each one's requests that failed, 0 to 1. What failed for all is a failed request
   * of every tenant.
   */
  errorShare(nowMs: number): number {
    this.#slide(nowMs);
    if (this.#tenants.size === 0) return this.#forAll > 0 ? 1 : 0;
    let sum = 0;
    for (const { requests, failed } of this.#tenants.values())
      sum += (failed + this.#forAll) / (requests + this.#forAll);
    return sum / this.#tenants.size;
  }

  /** The tenant whose requests are all that was counted; undefined if there are more, or if something failed for all. */
  get soleTenant(): string | undefined {
    const [tenant, another] = this.#tenants.keys();
    return another !== undefined || tenant === OTHERS || this.#forAll > 0 ? undefined : tenant;
  }

  clear(): void {
    for (const slice of this.#slices) {
      slice.tenants.clear();
      slice.forAll = 0;
    }
    this.#tenants.clear();
    this.#forAll = 0;
    this.#requests = 0;
  }

  /** Lets go of what is too old. A clock that goes back leaves everything where it is. */
  #slide(nowMs: number): Slice {
    const slice = Math.floor(nowMs / this.#sliceMs);
    if (slice > this.#latest) {
      if (slice - this.#latest >= SLICES) this.clear();
      else for (let next = this.#latest + 1; next <= slice; next += 1) this.#drop(this.#slices[next % SLICES]!);
      this.#latest = slice;
    }
    return this.#slices[this.#latest % SLICES]!;
  }

  #drop(slice: Slice): void {
    for (const [tenant, { requests, failed }] of slice.tenants) {
      const sum = this.#tenants.get(tenant)!;
      sum.requests -= requests;
      sum.failed -= failed;
      this.#requests -= requests;
      if (sum.requests === 0) this.#tenants.delete(tenant);
    }
    this.#forAll -= slice.forAll;
    this.#requests -= slice.forAll;
    slice.tenants.clear();
    slice.forAll = 0;
  }
}

function count(tenants: Map<string, Counts>, tenant: string, failed: boolean): void {
  let counts = tenants.get(tenant);
  if (counts === undefined) {
    counts = { requests: 0, failed: 0 };
    tenants.set(tenant, counts);
  }
  counts.requests += 1;
  if (failed) counts.failed += 1;
}
