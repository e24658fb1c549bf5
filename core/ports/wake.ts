/** Workers for a pool that has none. */
export interface Wake {
  /** Whether this host starts workers: then a pool without any is ready for requests all the same. */
  readonly startsWorkers: boolean;
  /**
   * Asks that the pool gets a worker; says in how many milliseconds, about, it will take work. 0 where workers come and go
   * with the host. May be asked for every request: at most one start a minute and pool is asked for in the region. A start
   * that cannot be asked for is logged and never thrown, as what was accepted is safe in the queue: whoever asks a minute
   * later tries again, and so do `wakeWaiting` and the queue's alarm where nobody asks.
   */
  wake(pool: string, nowMs: number): number | Promise<number>;
  /**
   * A worker of the pool takes work from now on. How long the start took that was asked for is what later estimates are made
   * of. Never throws.
   */
  started(pool: string, nowMs: number): Promise<void>;
}
