import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Clock } from '../../core/ports/clock.ts';

type Sleeper = { readonly atMs: number; wake(): void };

/** 2026-01-15, noon: no test comes near the end of a UTC day by accident. */
const START_MS = Date.UTC(2026, 0, 15, 12);

/** Time that passes when the test says so. */
export class ManualClock implements Clock {
  #nowMs = START_MS;
  readonly #sleepers = new Set<Sleeper>();

  nowMs(): number {
    return this.#nowMs;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) {
        reject(signal.reason);
        return;
      }
      const sleeper: Sleeper = {
        atMs: this.#nowMs + ms,
        wake: () => {
          signal?.removeEventListener('abort', onAbort);
          resolve();
        },
      };
      const onAbort = () => {
        this.#sleepers.delete(sleeper);
        reject(signal?.reason);
      };
      signal?.addEventListener('abort', onAbort, { once: true });
      this.#sleepers.add(sleeper);
    });
  }

  /** Moves time on, wakes who has slept long enough, and lets what follows from it happen. */
  async advance(ms: number): Promise<void> {
    this.#nowMs += ms;
    for (const sleeper of [...this.#sleepers]) {
      if (sleeper.atMs > this.#nowMs) continue;
      this.#sleepers.delete(sleeper);
      sleeper.wake();
    }
    await nextTurn();
    await nextTurn();
  }
}
