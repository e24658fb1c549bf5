import fc from 'fast-check';
import { expect } from 'vitest';
import type { Limits, Reservation } from '../../core/ports/limits.ts';
import type { GcraPolicy } from '../../core/tenancy/gcra.ts';
import { DAY_MS, MINUTE_MS } from '../../core/units.ts';
import { type Adapter, atOnce, type Case, countBy, describeContract, type Subject } from './contract.ts';

type LimitsCase = Case<Subject<Limits>>;

/** 20 at once, 100 a second. */
const POLICY: GcraPolicy = { ratePerMs: 0.1, burst: 20 };

function take(port: Limits, nowMs: number, count = 1, tenant = 'acme', meter = 'requests'): Promise<number> {
  return port.lease(tenant, meter, POLICY, count, count, nowMs).then((lease) => lease.granted);
}

let reservations = 0;

function aReservation(nowMs: number, changes: Partial<Reservation> = {}): Reservation {
  reservations += 1;
  return {
    tenant: 'acme',
    id: `pred_${reservations}`,
    inFlightLimit: 100,
    computeMs: 10,
    dailyComputeMs: 1000,
    expiresAtMs: nowMs + MINUTE_MS,
    ...changes,
  };
}

async function used(subject: Subject<Limits>, tenant = 'acme'): Promise<[inFlight: number, computeMs: number]> {
  const { inFlight, computeMs } = await subject.port.usage(tenant, subject.nowMs());
  return [inFlight, Math.round(computeMs * 1000) / 1000];
}

const rates: LimitsCase[] = [
  {
    name: 'grants a burst and no more to a thousand concurrent callers',
    async run({ port, nowMs }) {
      const granted = await atOnce(1000, () => take(port, nowMs()));
      expect(countBy(granted, String)).toEqual({ 1: 20, 0: 980 });
    },
  },
  {
    name: 'never grants more than burst and refill over any window, whatever is asked when',
    async run({ port, nowMs }) {
      const start = nowMs();
      let tenants = 0;
      await fc.assert(
        fc.asyncProperty(
          fc.array(fc.record({ afterMs: fc.nat(120), wanted: fc.integer({ min: 1, max: 30 }), least: fc.boolean() }), {
            minLength: 1,
            maxLength: 30,
          }),
          async (asks) => {
            tenants += 1;
            const grants: { atMs: number; granted: number }[] = [];
            let atMs = start;
            for (const { afterMs, wanted, least } of asks) {
              atMs += afterMs;
              const lease = await port.lease(`t${tenants}`, 'rows', POLICY, least ? 1 : wanted, wanted, atMs);
              grants.push({ atMs, granted: lease.granted });
            }
            for (let from = 0; from < grants.length; from++) {
              let total = 0;
              for (const { atMs: untilMs, granted } of grants.slice(from)) {
                total += granted;
                const windowMs = untilMs - grants[from]!.atMs;
                expect(total).toBeLessThanOrEqual(POLICY.burst + windowMs * POLICY.ratePerMs + 1e-3);
              }
            }
          },
        ),
        { numRuns: 30 },
      );
    },
  },
  {
    name: 'grants all who come together, a moment apart each, where the burst holds them many times over',
    async run({ port, nowMs }) {
      const start = nowMs();
      const fast: GcraPolicy = { ratePerMs: 2, burst: 120_000 };
      const leases = await atOnce(100, (index) => port.lease('acme', 'rows', fast, 1, 1, start + index));
      expect(leases.map(({ granted }) => granted)).toEqual(leases.map(() => 1));
    },
  },
  {
    name: 'refuses nobody at four fifths of the rate',
    async run({ port, nowMs }) {
      const start = nowMs();
      for (let i = 0; i < 200; i++) expect(await take(port, start + i * 12.5)).toBe(1);
    },
  },
  {
    name: 'grants all that is needed or nothing, what is wanted as far as there is, and tells when there is more',
    async run({ port, nowMs }) {
      const start = nowMs();
      const lease = (needed: number, wanted: number, afterMs: number) =>
        port.lease('acme', 'rows', POLICY, needed, wanted, start + afterMs);
      expect(await lease(5, 15, 0)).toMatchObject({ granted: 15, remaining: 5, retryAfterMs: 0 });
      const refused = await lease(8, 8, 0);
      expect(refused).toMatchObject({ granted: 0, remaining: 5 });
      expect(refused.retryAfterMs).toBeCloseTo(30);
      expect(await lease(8, 8, 29)).toMatchObject({ granted: 0 });
      expect(await lease(8, 8, 30)).toMatchObject({ granted: 8, remaining: 0 });
      expect((await lease(21, 21, 1000)).retryAfterMs).toBe(Number.POSITIVE_INFINITY);
      const last = await lease(1, 1, 1000);
      expect(last.granted).toBe(1);
      expect(last.resetMs).toBeCloseTo(10);
    },
  },
  {
    name: 'counts each meter of each tenant for itself',
    async run({ port, nowMs }) {
      expect(await take(port, nowMs(), 20)).toBe(20);
      expect(await take(port, nowMs())).toBe(0);
      expect(await take(port, nowMs(), 20, 'acme', 'rows')).toBe(20);
      expect(await take(port, nowMs(), 20, 'globex')).toBe(20);
    },
  },
  {
    name: 'gives nothing back over a crash, at whatever point of a burst',
    async run(subject) {
      const points = [1, 5, 11, 20];
      const start = subject.nowMs();
      for (const before of points) {
        for (let i = 0; i < before; i++) expect(await take(subject.port, start, 1, `t${before}`)).toBe(1);
      }
      await subject.crash();
      for (const before of points) {
        const granted = await atOnce(25, () => take(subject.port, start, 1, `t${before}`));
        expect(before + granted.filter((units) => units > 0).length).toBeLessThanOrEqual(POLICY.burst);
      }
    },
  },
  {
    name: 'takes up exactly where it left off after it was closed in order',
    async run(subject) {
      const start = subject.nowMs();
      for (let i = 0; i < 12; i++) await take(subject.port, start);
      await subject.reopen();
      const answers = await atOnce(20, () => take(subject.port, start));
      expect(countBy(answers, String)).toEqual({ 1: 8, 0: 12 });
    },
  },
];

const budgets: LimitsCase[] = [
  {
    name: 'never holds more places than the limit for a thousand concurrent callers',
    async run(subject) {
      const answers = await atOnce(1000, async () =>
        subject.port.reserve(aReservation(subject.nowMs(), { inFlightLimit: 7, computeMs: 1 }), subject.nowMs()),
      );
      expect(countBy(answers, ({ kind }) => kind)).toEqual({ granted: 7, 'in-flight-full': 993 });
      expect(await used(subject)).toEqual([7, 7]);
    },
  },
  {
    name: 'never reserves more than the day has, and takes a place and compute or neither',
    async run(subject) {
      const { port, nowMs } = subject;
      const answers = await atOnce(300, async () =>
        port.reserve(aReservation(nowMs(), { inFlightLimit: 1000 }), nowMs()),
      );
      expect(countBy(answers, ({ kind }) => kind)).toEqual({ granted: 100, 'compute-spent': 200 });
      expect(await used(subject)).toEqual([100, 1000]);
      const spent = answers.find(({ kind }) => kind === 'compute-spent');
      expect(spent).toMatchObject({ retryAfterMs: DAY_MS - (nowMs() % DAY_MS) });
      expect(await port.reserve(aReservation(nowMs(), { tenant: 'globex' }), nowMs())).toEqual({ kind: 'granted' });
    },
  },
  {
    name: 'refunds what was reserved and not used, once',
    async run(subject) {
      const { port, nowMs } = subject;
      const [first, second] = [aReservation(nowMs()), aReservation(nowMs())];
      for (const reservation of [first, second]) await port.reserve(reservation, nowMs());
      await port.settle('globex', first.id, 0, nowMs());
      expect(await used(subject)).toEqual([2, 20]);
      await port.settle('acme', first.id, 3, nowMs());
      expect(await used(subject)).toEqual([1, 13]);
      await port.settle('acme', first.id, 3, nowMs());
      expect(await used(subject)).toEqual([1, 13]);
      await port.settle('acme', second.id, 0, nowMs());
      expect(await used(subject)).toEqual([0, 3]);
    },
  },
  {
    name: 'reserves an id once, however often it is asked',
    async run(subject) {
      const reservation = aReservation(subject.nowMs());
      const answers = await atOnce(5, async () => subject.port.reserve(reservation, subject.nowMs()));
      expect(countBy(answers, ({ kind }) => kind)).toEqual({ granted: 5 });
      expect(await used(subject)).toEqual([1, 10]);
    },
  },
  {
    name: 'ends an unsettled reservation at its expiry, not before, charged in full',
    async run(subject) {
      const { port } = subject;
      const reservation = aReservation(subject.nowMs(), { inFlightLimit: 1 });
      await port.reserve(reservation, subject.nowMs());
      const next = aReservation(subject.nowMs(), { inFlightLimit: 1, expiresAtMs: subject.nowMs() + DAY_MS });
      expect((await port.reserve(next, reservation.expiresAtMs - 1)).kind).toBe('in-flight-full');
      expect((await port.reserve(next, reservation.expiresAtMs)).kind).toBe('granted');
      await port.settle('acme', reservation.id, 0, reservation.expiresAtMs);
      expect((await port.usage('acme', reservation.expiresAtMs)).computeMs).toBeCloseTo(20);
    },
  },
  {
    name: 'begins each UTC day with the whole budget, and settles the day before no more',
    async run(subject) {
      const { port, nowMs } = subject;
      const overnight = aReservation(nowMs(), { computeMs: 1000, expiresAtMs: nowMs() + 2 * DAY_MS });
      expect((await port.reserve(overnight, nowMs())).kind).toBe('granted');
      const dayEndMs = nowMs() - (nowMs() % DAY_MS) + DAY_MS;
      expect((await port.reserve(aReservation(nowMs()), dayEndMs - 1)).kind).toBe('compute-spent');
      expect((await port.reserve(aReservation(dayEndMs), dayEndMs)).kind).toBe('granted');
      await port.settle('acme', overnight.id, 400, dayEndMs);
      expect(await port.usage('acme', dayEndMs)).toEqual({ inFlight: 1, computeMs: 10, dayStartMs: dayEndMs });
    },
  },
  {
    name: 'gives no compute back over a crash: what was spent and what was reserved counts as used',
    async run(subject) {
      const { nowMs } = subject;
      const settled = aReservation(nowMs(), { computeMs: 300 });
      await subject.port.reserve(settled, nowMs());
      await subject.port.settle('acme', settled.id, 250, nowMs());
      await subject.port.reserve(aReservation(nowMs(), { computeMs: 500 }), nowMs());
      await subject.crash();
      const { computeMs } = await subject.port.usage('acme', nowMs());
      expect(computeMs).toBeGreaterThanOrEqual(750);
      expect((await subject.port.reserve(aReservation(nowMs(), { computeMs: 251 }), nowMs())).kind).toBe(
        'compute-spent',
      );
    },
  },
  {
    name: 'knows exactly what was used after it was closed in order',
    async run(subject) {
      const { nowMs } = subject;
      const settled = aReservation(nowMs(), { computeMs: 300 });
      await subject.port.reserve(settled, nowMs());
      await subject.port.settle('acme', settled.id, 0.25, nowMs());
      await subject.reopen();
      expect(await used(subject)).toEqual([0, 0.25]);
    },
  },
  {
    name: 'forgets an erased tenant and no other',
    async run(subject) {
      for (const tenant of ['acme', 'globex']) {
        await take(subject.port, subject.nowMs(), 20, tenant);
        await subject.port.reserve(aReservation(subject.nowMs(), { tenant }), subject.nowMs());
      }
      await subject.port.erase('acme');
      await subject.reopen();
      expect(await used(subject, 'acme')).toEqual([0, 0]);
      expect((await used(subject, 'globex'))[1]).toBe(10);
      expect(await take(subject.port, subject.nowMs(), 20, 'acme')).toBe(20);
      expect(await take(subject.port, subject.nowMs(), 1, 'globex')).toBe(0);
    },
  },
];

export const limitsCases: readonly LimitsCase[] = [...rates, ...budgets];

export function describeLimitsContract(name: string, adapter: Adapter<Limits>): void {
  describeContract(`limits: ${name}`, limitsCases, adapter);
}
