import type { Wake } from '../../core/ports/wake.ts';

/** The workers of one machine are there as long as the host runs: nothing is ever started. */
export class LocalWake implements Wake {
  readonly startsWorkers = false;

  wake(): number {
    return 0;
  }

  async started(): Promise<void> {}
}
