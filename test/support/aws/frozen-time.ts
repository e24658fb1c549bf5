import { setTimeout as delay } from 'node:timers/promises';
import type { Clock } from '../../../core/ports/clock.ts';

/**
 * Stops the wall clock of this process, and with it of services that run in it: what time it is says the test. Timers run on.
 */
export class FrozenTime implements Clock {
  readonly #real = Date.now;
  #nowMs = Date.now();

  start(): void {
    Date.now = () => this.#nowMs;
  }

  stop(): void {
    Date.now = this.#real;
  }

  nowMs(): number {
    return this.#nowMs;
  }

  async sleep(ms: number, signal?: AbortSignal): Promise<void> {
    await delay(ms, undefined, { ...(signal && { signal }) });
  }

  advance(ms: number): void {
    this.#nowMs += ms;
  }
}
