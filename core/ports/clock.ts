/** The only source of time. `nowMs` is wall-clock Unix milliseconds, fractional where the host can. */
export interface Clock {
  nowMs(): number;
  /** Resolves after `ms`; rejects with the signal's reason when aborted. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}
