import type { Platform } from '../core/ports/platform.ts';

/** Runs `task` every `ms` until the signal aborts, never twice at once; what it throws is logged and does not end it. */
export async function repeat(
  { clock, log }: Pick<Platform, 'clock' | 'log'>,
  what: string,
  ms: number,
  signal: AbortSignal,
  task: () => unknown,
): Promise<void> {
  while (!signal.aborted) {
    try {
      await task();
    } catch (error) {
      log.error('a task of the worker failed', error, { task: what });
    }
    await clock.sleep(ms, signal).catch(() => {});
  }
}
