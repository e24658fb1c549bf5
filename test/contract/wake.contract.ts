import { expect } from 'vitest';
import type { Wake } from '../../core/ports/wake.ts';
import { MINUTE_MS, SECOND_MS } from '../../core/units.ts';
import { type Adapter, atOnce, type Case, describeContract, type Subject } from './contract.ts';

/** Beside the port what is seen of the starts, pool `default` and pool `gpu` being at zero. */
export type WakeSubject = Subject<Wake> & {
  /** Starts of a pool that were asked for, refused ones too. */
  starts(pool: string): number;
  /** Refuses every start from now on, or none. */
  refuseStarts(refused: boolean): void;
  /** Somebody else has asked for workers of the pool. */
  startElsewhere(pool: string): void;
  /** The pool has no workers any more. */
  stop(pool: string): void;
};

export const wakeCases: readonly Case<WakeSubject>[] = [
  {
    name: 'says a time that is neither endless nor negative, however often it is asked',
    async run({ port, nowMs }) {
      const times = await atOnce(20, async () => port.wake('default', nowMs()));
      for (const ms of times) {
        expect(ms).toBeGreaterThanOrEqual(0);
        expect(ms).toBeLessThanOrEqual(10 * MINUTE_MS);
      }
    },
  },
  {
    name: 'says that it starts workers if it does, and 0 if there is nothing to start',
    async run({ port, nowMs, starts }) {
      const ms = await port.wake('default', nowMs());
      expect([ms > 0, starts('default')]).toEqual(port.startsWorkers ? [true, 1] : [false, 0]);
    },
  },
  {
    name: 'asks for one start a minute, after a restart too, whoever asks',
    async run(subject) {
      await atOnce(20, async () => subject.port.wake('default', subject.nowMs()));
      subject.stop('default');
      await atOnce(20, async () => subject.port.wake('default', subject.nowMs()));
      await subject.advance(MINUTE_MS - 1);
      await subject.reopen();
      await atOnce(20, async () => subject.port.wake('default', subject.nowMs()));
      expect(subject.starts('default')).toBe(1);
      await subject.advance(1);
      await atOnce(20, async () => subject.port.wake('default', subject.nowMs()));
      expect(subject.starts('default')).toBe(2);
    },
  },
  {
    name: 'asks for each pool by itself',
    async run({ port, nowMs, starts }) {
      await port.wake('default', nowMs());
      expect([starts('default'), starts('gpu')]).toEqual([1, 0]);
      await port.wake('gpu', nowMs());
      expect([starts('default'), starts('gpu')]).toEqual([1, 1]);
    },
  },
  {
    name: 'does not throw where a start is refused, and asks again after a minute',
    async run({ port, nowMs, starts, refuseStarts, advance }) {
      refuseStarts(true);
      expect(await port.wake('default', nowMs())).toBeGreaterThan(0);
      await port.wake('default', nowMs());
      expect(starts('default')).toBe(1);
      refuseStarts(false);
      await advance(MINUTE_MS);
      expect(await port.wake('default', nowMs())).toBeGreaterThan(0);
      expect(starts('default')).toBe(2);
    },
  },
  {
    name: 'leaves a pool alone that was given workers already',
    async run({ port, nowMs, starts, startElsewhere }) {
      startElsewhere('default');
      expect(await port.wake('default', nowMs())).toBeGreaterThan(0);
      expect(starts('default')).toBe(0);
    },
  },
  {
    name: 'says less the longer a start is under way, and what the last starts took for the next one',
    async run(subject) {
      const { nowMs } = subject;
      const first = await subject.port.wake('default', nowMs());
      await subject.advance(20 * SECOND_MS);
      expect(await subject.port.wake('default', nowMs())).toBe(first - 20 * SECOND_MS);
      await subject.advance(20 * SECOND_MS);
      await atOnce(3, () => subject.port.started('default', nowMs()));
      await subject.reopen();
      subject.stop('default');
      await subject.advance(MINUTE_MS);
      expect(await subject.port.wake('default', nowMs())).toBe(40 * SECOND_MS);
      await subject.advance(30 * SECOND_MS);
      expect(await subject.port.wake('default', nowMs())).toBe(10 * SECOND_MS);
      expect(await subject.port.wake('gpu', nowMs())).toBe(first);
    },
  },
  {
    name: 'takes a worker that nobody asked for as no start',
    async run({ port, nowMs, advance }) {
      const before = await port.wake('gpu', nowMs());
      await port.started('default', nowMs());
      await advance(MINUTE_MS);
      expect(await port.wake('default', nowMs())).toBe(before);
    },
  },
];

export function describeWakeContract(name: string, adapter: Adapter<Wake, WakeSubject>): void {
  describeContract(`wake: ${name}`, wakeCases, adapter);
}
