/** Names that were heard of within `keptMs`, at most `most` of them, the oldest going first. */
export class Recent {
  readonly #keptMs: number;
  readonly #most: number;
  /** In order of when they were added last. */
  readonly #addedAtMs = new Map<string, number>();

  constructor(keptMs: number, most: number) {
    this.#keptMs = keptMs;
    this.#most = most;
  }

  add(name: string, nowMs: number): void {
    this.#addedAtMs.delete(name);
    this.#addedAtMs.set(name, nowMs);
    for (const [oldest, atMs] of this.#addedAtMs) {
      if (this.#addedAtMs.size <= this.#most && nowMs < atMs + this.#keptMs) return;
      this.#addedAtMs.delete(oldest);
    }
  }

  has(name: string, nowMs: number): boolean {
    const atMs = this.#addedAtMs.get(name);
    return atMs !== undefined && nowMs < atMs + this.#keptMs;
  }
}
