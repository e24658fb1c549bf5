import type { Idempotency } from '../../core/ports/idempotency.ts';
import { type Fault, override } from './fault.ts';

export const BROKEN_IDEMPOTENCY: readonly Fault<Idempotency>[] = [
  {
    fault: 'looks and claims in two steps',
    caughtBy: 'lets one of concurrent claims win and tells the others of it, after a crash too',
    breaks: (idempotency) =>
      override(idempotency, {
        async claim(key, record, nowMs) {
          const found = await idempotency.read(key, nowMs);
          if (found !== undefined) return found;
          await idempotency.claim(key, record, nowMs);
          return 'claimed';
        },
      }),
  },
  {
    fault: "answers one principal with another's job",
    caughtBy: 'takes each tenant, principal, route and key for itself',
    breaks: (idempotency) =>
      override(idempotency, {
        read: (key, nowMs) => idempotency.read({ ...key, principal: '' }, nowMs),
        claim: (key, record, nowMs) => idempotency.claim({ ...key, principal: '' }, record, nowMs),
      }),
  },
  {
    fault: 'holds a key a millisecond too long',
    caughtBy: 'frees a key at its expiry, not before',
    breaks: (idempotency) =>
      override(idempotency, { claim: (key, record, nowMs) => idempotency.claim(key, record, nowMs - 1) }),
  },
  {
    fault: 'lets a lease be taken over that has not ended',
    caughtBy: 'lets one caller take over a lease that has ended, and nobody before or for another job',
    breaks: (idempotency) =>
      override(idempotency, {
        renew: (key, jobId, leaseUntilMs, nowMs) => idempotency.renew(key, jobId, leaseUntilMs, nowMs + 1),
      }),
  },
];
