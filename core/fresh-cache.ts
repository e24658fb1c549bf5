type Entry<T> = { value: T; freshUntilMs: number };

/**
 * Values that may be at most `maxAgeMs` old, so that a request need not read what the one before it read.
 * A fresh value is there without a promise. Concurrent loads of one key share one read; a failed load is not kept.
 * Holds at most `maxEntries`, the oldest going first.
 */
export class FreshCache<T> {
  readonly #entries = new Map<string, Entry<T>>();
  readonly #loading = new Map<string, Promise<T>>();
  readonly #maxAgeMs: number;
  readonly #maxEntries: number;

  constructor(maxAgeMs: number, maxEntries: number) {
    this.#maxAgeMs = maxAgeMs;
    this.#maxEntries = maxEntries;
  }

  get(key: string, nowMs: number, load: () => Promise<T>): T | Promise<T> {
    const entry = this.#entries.get(key);
    if (entry !== undefined && nowMs < entry.freshUntilMs) return entry.value;
    return this.#loading.get(key) ?? this.#load(key, nowMs, load);
  }

  /** A fresh value that is there already. */
  peek(key: string, nowMs: number): T | undefined {
    const entry = this.#entries.get(key);
    return entry !== undefined && nowMs < entry.freshUntilMs ? entry.value : undefined;
  }

  delete(key: string): void {
    this.#entries.delete(key);
    this.#loading.delete(key);
  }

  #load(key: string, nowMs: number, load: () => Promise<T>): Promise<T> {
    const loading = load().then(
      (value) => {
        // A deletion while loading means that the value was read before a change: it must not be kept.
        if (this.#loading.get(key) === loading) this.#keep(key, value, nowMs);
        return value;
      },
      (error: unknown) => {
        if (this.#loading.get(key) === loading) this.#loading.delete(key);
        throw error;
      },
    );
    this.#loading.set(key, loading);
    return loading;
  }

  #keep(key: string, value: T, nowMs: number): void {
    this.#loading.delete(key);
    this.#entries.delete(key);
    this.#entries.set(key, { value, freshUntilMs: nowMs + this.#maxAgeMs });
    if (this.#entries.size > this.#maxEntries) {
      const oldest = this.#entries.keys().next();
      if (!oldest.done) this.#entries.delete(oldest.value);
    }
  }
}
