/** What a poller has: nothing yet, nothing but a failure, or a value that may have grown old because newer ones failed. */
export type Polled<T> =
  | { readonly kind: 'loading' }
  | { readonly kind: 'failed'; readonly error: unknown }
  | { readonly kind: 'ready'; readonly value: T; readonly atMs: number; readonly staleBecause?: unknown };

export type PollerOptions<T> = {
  readonly load: (signal: AbortSignal) => Promise<T>;
  /** Pause between an answer and the next request; left out, it is loaded once. */
  readonly everyMs?: number | undefined;
  readonly initial?: Polled<T> | undefined;
  readonly onChange: (polled: Polled<T>) => void;
  /** Drawn for each pause, 0 to 1. */
  readonly random?: () => number;
};

const LONGEST_PAUSE_MS = 60_000;
/** The pause after a first failure of what is loaded only once. */
const FIRST_PAUSE_MS = 2_000;

/**
 * Loads again and again, one request at a time. Failures double the pause, up to a minute, with up to a fifth of it drawn at
 * random so that many viewers do not come back together; a success ends that. While hidden it asks nothing.
 */
export class Poller<T> {
  readonly #options: PollerOptions<T>;
  #polled: Polled<T>;
  #failures = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #request: AbortController | undefined;
  #hidden = false;
  #stopped = false;

  constructor(options: PollerOptions<T>) {
    this.#options = options;
    this.#polled = options.initial ?? { kind: 'loading' };
  }

  start(hidden: boolean): void {
    this.#hidden = hidden;
    if (!hidden) void this.refresh();
  }

  /** Ends the request under way; nothing changes after it. */
  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
    this.#request?.abort();
  }

  setHidden(hidden: boolean): void {
    if (hidden === this.#hidden) return;
    this.#hidden = hidden;
    clearTimeout(this.#timer);
    if (!hidden && (this.#options.everyMs !== undefined || this.#polled.kind !== 'ready')) void this.refresh();
  }

  /** Asks now. A request that is under way is given up for it. */
  async refresh(): Promise<void> {
    if (this.#stopped) return;
    clearTimeout(this.#timer);
    this.#request?.abort();
    const request = new AbortController();
    this.#request = request;
    try {
      const value = await this.#options.load(request.signal);
      if (request.signal.aborted) return;
      this.#failures = 0;
      this.#become({ kind: 'ready', value, atMs: Date.now() });
    } catch (error) {
      if (request.signal.aborted) return;
      this.#failures += 1;
      const { kind } = this.#polled;
      this.#become(kind === 'ready' ? { ...this.#polled, staleBecause: error } : { kind: 'failed', error });
    }
    this.#schedule();
  }

  #become(polled: Polled<T>): void {
    this.#polled = polled;
    this.#options.onChange(polled);
  }

  #schedule(): void {
    const { everyMs, random = Math.random } = this.#options;
    if (this.#stopped || this.#hidden || (everyMs === undefined && this.#failures === 0)) return;
    const backedOffMs = (everyMs ?? FIRST_PAUSE_MS) * 2 ** this.#failures;
    const pauseMs = Math.max(everyMs ?? 0, Math.min(LONGEST_PAUSE_MS, backedOffMs));
    this.#timer = setTimeout(() => void this.refresh(), pauseMs * (0.8 + 0.2 * random()));
  }
}
