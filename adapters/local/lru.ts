/** At most `limit` values by name; the one used longest ago goes first. */
export class Lru<T> {
  readonly #limit: number;
  readonly #values = new Map<string, T>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  get(name: string): T | undefined {
    const value = this.#values.get(name);
    // Below half of the limit nothing is about to go, and order need not be kept.
    if (value === undefined || this.#values.size <= this.#limit / 2) return value;
    this.#values.delete(name);
    this.#values.set(name, value);
    return value;
  }

  set(name: string, value: T): void {
    this.#values.delete(name);
    this.#values.set(name, value);
    if (this.#values.size <= this.#limit) return;
    const oldest = this.#values.keys().next();
    if (!oldest.done) this.#values.delete(oldest.value);
  }

  delete(name: string): void {
    this.#values.delete(name);
  }
}
