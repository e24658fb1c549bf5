/**
 * A number on the disk that is never less than what was granted. It is written ahead of need, in blocks, so that most
 * grants find it large enough already.
 */
export class StoredBound {
  readonly #store: (bound: number) => Promise<void>;
  #stored: number;
  #writing: { readonly bound: number; readonly done: Promise<void> } | undefined;

  constructor(stored: number, store: (bound: number) => Promise<void>) {
    this.#stored = stored;
    this.#store = store;
  }

  get stored(): number {
    return this.#stored;
  }

  /** Resolves once the bound on the disk is at least `used`; what it writes is `block` more. Rejects if the disk refuses. */
  async cover(used: number, block: number): Promise<void> {
    if (used <= this.#stored) return;
    const writing =
      this.#writing !== undefined && used <= this.#writing.bound ? this.#writing : this.#write(used + block);
    await writing.done;
  }

  /** Writes the next block before anybody has to wait for it. */
  prepare(used: number, block: number): void {
    // Whoever needs the block tries again, and hears of the failure.
    if (this.#writing === undefined && used > this.#stored - block / 2) this.#write(used + block).done.catch(() => {});
  }

  #write(bound: number): { readonly bound: number; readonly done: Promise<void> } {
    const done = this.#store(bound).then(
      () => {
        this.#stored = Math.max(this.#stored, bound);
        if (this.#writing === writing) this.#writing = undefined;
      },
      (error: unknown) => {
        if (this.#writing === writing) this.#writing = undefined;
        throw error;
      },
    );
    const writing = { bound, done };
    this.#writing = writing;
    return writing;
  }
}
