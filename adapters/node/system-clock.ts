import type { Clock } from '../../core/ports/clock.ts';

/** Beyond this the wall clock was set, or the machine slept: the monotonic clock is anchored again. */
const MAX_DRIFT_MS = 50;

/** Wall-clock time with the fractions of the monotonic clock, which alone would miss clock changes and suspends. */
export class SystemClock implements Clock {
  #anchorMs = Date.now() - performance.now();

  nowMs(): number {
    const wallMs = Date.now();
    const nowMs = this.#anchorMs + performance.now();
    if (Math.abs(nowMs - wallMs) <= MAX_DRIFT_MS) return nowMs;
    this.#anchorMs = wallMs - performance.now();
    return wallMs;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) {
        reject(signal.reason);
        return;
      }
      const onAbort = () => {
        clearTimeout(timer);
        reject(signal?.reason);
      };
      const timer = setTimeout(() => {
        signal?.removeEventListener('abort', onAbort);
        resolve();
      }, ms);
      signal?.addEventListener('abort', onAbort, { once: true });
    });
  }
}
