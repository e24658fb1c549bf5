import type { Limits, Reservation } from '../../core/ports/limits.ts';
import { takeUnits } from '../../core/tenancy/gcra.ts';
import { type Fault, override } from './fault.ts';

export const BROKEN_LIMITS: readonly Fault<Limits>[] = [
  {
    fault: 'grants one unit over the burst',
    caughtBy: 'grants a burst and no more to a thousand concurrent callers',
    breaks: (limits) =>
      override(limits, {
        lease: (tenant, meter, policy, needed, wanted, nowMs) =>
          limits.lease(tenant, meter, { ...policy, burst: policy.burst + 1 }, needed, wanted, nowMs),
      }),
  },
  {
    fault: 'refills a little too fast',
    caughtBy: 'never grants more than burst and refill over any window, whatever is asked when',
    breaks: (limits) =>
      override(limits, {
        lease: (tenant, meter, policy, needed, wanted, nowMs) =>
          limits.lease(tenant, meter, { ...policy, ratePerMs: policy.ratePerMs * 1.2 }, needed, wanted, nowMs),
      }),
  },
  {
    fault: 'counts two tenants as one',
    caughtBy: 'counts each meter of each tenant for itself',
    breaks: (limits) => override(limits, { lease: (_, ...asked) => limits.lease('everyone', ...asked) }),
  },
  {
    fault: 'keeps rates in memory alone',
    caughtBy: 'gives nothing back over a crash, at whatever point of a burst',
    breaks(limits) {
      const tats = new Map<string, number>();
      return override(limits, {
        async lease(tenant, meter, policy, needed, wanted, nowMs) {
          const answer = takeUnits(policy, tats.get(`${tenant}/${meter}`) ?? 0, needed, wanted, nowMs);
          tats.set(`${tenant}/${meter}`, answer.tatMs);
          return answer;
        },
      });
    },
  },
  {
    fault: 'checks and takes a place in two steps',
    caughtBy: 'never holds more places than the limit for a thousand concurrent callers',
    breaks: (limits) =>
      override(limits, {
        async reserve(reservation: Reservation, nowMs) {
          const { inFlight } = await limits.usage(reservation.tenant, nowMs);
          if (inFlight >= reservation.inFlightLimit) return { kind: 'in-flight-full', retryAfterMs: 1 };
          return limits.reserve({ ...reservation, inFlightLimit: Number.POSITIVE_INFINITY }, nowMs);
        },
      }),
  },
  {
    fault: 'takes a place where there is no compute left',
    caughtBy: 'never reserves more than the day has, and takes a place and compute or neither',
    breaks: (limits) =>
      override(limits, {
        async reserve(reservation, nowMs) {
          const answer = await limits.reserve(reservation, nowMs);
          if (answer.kind === 'compute-spent') await limits.reserve({ ...reservation, computeMs: 0 }, nowMs);
          return answer;
        },
      }),
  },
  {
    fault: 'ends a reservation a millisecond late',
    caughtBy: 'ends an unsettled reservation at its expiry, not before, charged in full',
    breaks: (limits) =>
      override(limits, {
        reserve: (reservation, nowMs) =>
          limits.reserve({ ...reservation, expiresAtMs: reservation.expiresAtMs + 1 }, nowMs),
      }),
  },
  {
    fault: 'charges a job for each time that it is settled',
    caughtBy: 'refunds what was reserved and not used, once',
    breaks(limits) {
      return override(limits, {
        async settle(tenant, id, computeMs, nowMs) {
          await limits.settle(tenant, id, computeMs, nowMs);
          const again = { tenant, id, inFlightLimit: 1000, computeMs, dailyComputeMs: 1e9, expiresAtMs: nowMs + 1 };
          await limits.reserve(again, nowMs);
          await limits.settle(tenant, id, computeMs, nowMs);
        },
      });
    },
  },
];
