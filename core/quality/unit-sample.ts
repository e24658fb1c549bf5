/** 256 × 8 bytes: 2 KB in an item at the most. */
const MOST_UNITS = 256;

/**
 * Which units (users, tenants or requests, whatever a release assigns by) something happened to, by hash and each once. Of more than 256 those
 * with the smallest hashes are kept, a uniform sample, and their number is estimated. Merging gives the same in every order.
 * Bottom-k sampling: Cohen and Kaplan, "Summarizing data using bottom-k sketches", PODC 2007.
 */
export class UnitSample {
  readonly #limit: number;
  readonly #hashes = new Set<number>();
  #greatest = -1;

  constructor(hashes: Iterable<number> = [], limit = MOST_UNITS) {
    this.#limit = limit;
    for (const hash of hashes) this.add(hash);
  }

  /** True while every unit that was added is in the sample. */
  get complete(): boolean {
    return this.#hashes.size < this.#limit;
  }

  /** All hashes below this one are in the sample: infinity while it is complete. */
  get knownBelow(): number {
    return this.complete ? Number.POSITIVE_INFINITY : this.#greatest;
  }

  get size(): number {
    return this.#hashes.size;
  }

  has(hash: number): boolean {
    return this.#hashes.has(hash);
  }

  /** Hashes are uniform over 0 to 2^32 - 1, and independent of which version the unit is assigned to. */
  add(hash: number): void {
    if (this.#hashes.has(hash)) return;
    if (this.#hashes.size < this.#limit) {
      this.#hashes.add(hash);
      if (hash > this.#greatest) this.#greatest = hash;
    } else if (hash < this.#greatest) {
      this.#hashes.delete(this.#greatest);
      this.#hashes.add(hash);
      this.#greatest = Math.max(...this.#hashes);
    }
  }

  merge(other: UnitSample): void {
    for (const hash of other.#hashes) this.add(hash);
  }

  /** From small to large. */
  hashes(): readonly number[] {
    return [...this.#hashes].sort((a, b) => a - b);
  }
}
