import { expect } from 'vitest';
import type { Clock } from '../../core/ports/clock.ts';
import { DAY_MS } from '../../core/units.ts';
import { type Adapter, type Case, describeContract, type Subject } from './contract.ts';

type ClockCase = Case<Subject<Clock>>;

export const clockCases: readonly ClockCase[] = [
  {
    name: 'tells the time of day, which does not run backwards',
    async run({ port }) {
      expect(Math.abs(port.nowMs() - Date.now())).toBeLessThan(1000);
      let last = port.nowMs();
      for (let i = 0; i < 10_000; i++) {
        const next = port.nowMs();
        expect(next).toBeGreaterThanOrEqual(last);
        last = next;
      }
    },
  },
  {
    name: 'sleeps as long as told, no less',
    async run({ port }) {
      const startMs = port.nowMs();
      await port.sleep(50);
      // A timer may fire up to a millisecond early by its own count.
      expect(port.nowMs() - startMs).toBeGreaterThanOrEqual(49);
    },
  },
  {
    name: 'wakes with the reason of the signal, before or while it sleeps',
    async run({ port }) {
      const reason = new Error('drain');
      await expect(port.sleep(DAY_MS, AbortSignal.abort(reason))).rejects.toBe(reason);
      const controller = new AbortController();
      const sleep = port.sleep(DAY_MS, controller.signal);
      controller.abort(reason);
      await expect(sleep).rejects.toBe(reason);
    },
  },
];

export function describeClockContract(name: string, adapter: Adapter<Clock>): void {
  describeContract(`clock: ${name}`, clockCases, adapter);
}
