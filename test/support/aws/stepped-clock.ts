import { setTimeout as delay } from 'node:timers/promises';
import type { Clock } from '../../../core/ports/clock.ts';
import { SECOND_MS } from '../../../core/units.ts';
import { ManualClock } from '../manual-clock.ts';

/**
 * What time it is says the test, but who sleeps wakes after as much real time too: a reader that polls goes on polling while
 * the time stands still. Starts at a whole second, by which tables delete.
 */
export class SteppedClock implements Clock {
  readonly #manual = new ManualClock();
  readonly #aheadMs = Math.floor(Date.now() / SECOND_MS) * SECOND_MS - this.#manual.nowMs();

  nowMs(): number {
    return this.#manual.nowMs() + this.#aheadMs;
  }

  async sleep(ms: number, signal?: AbortSignal): Promise<void> {
    const woken = new AbortController();
    const signals = signal === undefined ? woken.signal : AbortSignal.any([signal, woken.signal]);
    try {
      await Promise.race([this.#manual.sleep(ms, signals), delay(ms, undefined, { signal: signals })]);
    } catch (error) {
      throw signal?.aborted ? signal.reason : error;
    } finally {
      woken.abort();
    }
  }

  advance(ms: number): Promise<void> {
    return this.#manual.advance(ms);
  }
}
