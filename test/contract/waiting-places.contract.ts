import { expect } from 'vitest';
import type { WaitingPlaces } from '../../core/ports/waiting-places.ts';
import { SECOND_MS } from '../../core/units.ts';
import { type Adapter, atOnce, type Case, describeContract, type Subject } from './contract.ts';

type WaitingPlacesCase = Case<Subject<WaitingPlaces>>;

const WAIT_MS = 25 * SECOND_MS;

function take({ port }: Subject<WaitingPlaces>, nowMs: number, limit = 1, tenant = 'acme', waitMs = WAIT_MS) {
  return port.take(tenant, limit, nowMs + waitMs, nowMs);
}

export const waitingPlacesCases: readonly WaitingPlacesCase[] = [
  {
    name: 'gives no more places than the limit to hundreds of concurrent callers',
    async run(subject) {
      const taken = await atOnce(300, () => take(subject, subject.nowMs(), 7));
      expect(taken.filter((place) => place !== undefined)).toHaveLength(7);
    },
  },
  {
    name: 'counts each tenant for itself',
    async run(subject) {
      expect(await take(subject, subject.nowMs())).toBeDefined();
      expect(await take(subject, subject.nowMs())).toBeUndefined();
      expect(await take(subject, subject.nowMs(), 1, 'globex')).toBeDefined();
    },
  },
  {
    name: 'has a place again for each one that was left, and no other',
    async run(subject) {
      const nowMs = subject.nowMs();
      const [first] = [await take(subject, nowMs, 2), await take(subject, nowMs, 2)];
      await first!.leave(nowMs + 10);
      expect(await take(subject, nowMs + 20, 2)).toBeDefined();
      expect(await take(subject, nowMs + 20, 2)).toBeUndefined();
    },
  },
  {
    name: 'ends a place that nobody left at its time, within a second, and not before, after a crash too',
    async run(subject) {
      const nowMs = subject.nowMs();
      await take(subject, nowMs);
      await subject.crash();
      expect(await take(subject, nowMs + WAIT_MS - 1)).toBeUndefined();
      expect(await take(subject, nowMs + WAIT_MS + SECOND_MS)).toBeDefined();
    },
  },
  {
    name: "changes nobody else's place where one is left that has ended",
    async run(subject) {
      const nowMs = subject.nowMs();
      const ended = await take(subject, nowMs, 1, 'acme', SECOND_MS);
      const laterMs = nowMs + 3 * SECOND_MS;
      expect(await take(subject, laterMs)).toBeDefined();
      await ended!.leave(laterMs);
      expect(await take(subject, laterMs)).toBeUndefined();
    },
  },
];

export function describeWaitingPlacesContract(name: string, adapter: Adapter<WaitingPlaces>): void {
  describeContract(`waiting places: ${name}`, waitingPlacesCases, adapter);
}
